"""What may be published at all, by what is set and which NATS there is."""

from __future__ import annotations

import pytest

from bridge.nats_link.embedded import EMBEDDED
from bridge.settings import command_line

OTHERS = "--http-host=0.0.0.0", "--allow-anonymous"


@pytest.mark.parametrize(
    ("arguments", "kind", "subject", "may"),
    [
        ([], "connected", "a", False),
        ([], EMBEDDED, "a.b", True),
        ([], EMBEDDED, "$KV.b.k", False),
        ([], EMBEDDED, "$JS.API.INFO", False),
        (["--http-host=localhost"], EMBEDDED, "a", True),
        (["--http-host=::1"], EMBEDDED, "a", True),
        ([*OTHERS], EMBEDDED, "a", False),
        (["--trusted-proxies=127.0.0.1"], EMBEDDED, "a", False),
        (["--allow-publish="], EMBEDDED, "a", False),
        (["--allow-publish=orders.>"], EMBEDDED, "a", False),
        (["--deny-publish=a.>"], EMBEDDED, "a.b", False),
        ([*OTHERS, "--allow-publish=>"], EMBEDDED, "a", True),
        (["--allow-publish=orders.>"], "connected", "orders.a", True),
        (["--allow-publish=orders.>", "--deny-publish=*.a"], "connected", "orders.a", False),
        (["--allow-publish=> $KV.b.>"], "connected", "$KV.b.k", True),
        (["--allow-publish=> $JS.>"], "connected", "$JS.API.INFO", False),
    ],
)
def test_only_an_embedded_server_is_open_and_to_this_machine_alone(
    arguments: list[str], kind: str, subject: str, may: bool
) -> None:
    config = command_line.load(arguments)
    assert config.publish_policy(kind).may_publish(subject) is may


def test_the_limits_of_a_sender_are_those_that_are_set() -> None:
    limits = command_line.load(
        ["--publishes-per-second=3", "--publish-burst=4", "--max-request-timeout=5"]
    ).limits.publishing
    assert (limits.publishes_per_second, limits.publish_burst, limits.max_request_timeout) == (
        *(3, 4, 5),
    )
