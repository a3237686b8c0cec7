"""What several files of service tests run against."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.servers import Gateway, NatsServer, running

OPERATOR = "an-operator-of-this-test"
AS_OPERATOR = {"Authorization": f"Bearer {OPERATOR}"}
TOKENS = {"alice": "the-token-of-alice", "bob": "the-token-of-bob!"}


@pytest.fixture(scope="module")
def replicas(
    nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Gateway]]:
    """Two gateways that let anyone in, and know the same tokens."""
    folder = tmp_path_factory.mktemp("replicas")
    lines = (json.dumps({"name": name, "token": token}) for name, token in TOKENS.items())
    (folder / "tokens").write_text("\n".join(lines))
    settings: dict[str, object] = {
        "operator_token": OPERATOR,
        "tokens_file": folder / "tokens",
        "allow_anonymous": True,
        "allow_subjects": "> nats_bridge.> _INBOX.>",
    }
    first = Gateway(nats_server.url, log=folder / "first", **settings)
    second = Gateway(nats_server.url, log=folder / "second", **settings)
    with running(first), running(second):
        yield first, second
