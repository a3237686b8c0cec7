"""The rights that docs/history.md gives the gateway's user are enough, and bound what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import readme
from tests.support.browser_client import Browser
from tests.support.jetstream import api, jetstream, make_stream, plain_client, until_stored
from tests.support.servers import Gateway, NatsServer, running


def with_everybody(config: str) -> str:
    """Return the configuration of the documentation with another user, who may do everything."""
    config = config.replace("\u2026", "p").replace(
        "users: [", "users: [ { user: all, password: p },", 1
    )
    return f"{config}\nno_auth_user: all\n"


@pytest.mark.parametrize("allow_direct", [True, False])
async def test_a_user_with_the_rights_of_the_documentation_reads_the_past(
    tmp_path: Path, allow_direct: bool
) -> None:
    """Also where a stream has to be read by consumers, until it is edited."""
    server = NatsServer(tmp_path, jetstream(tmp_path, with_everybody(readme.block("conf"))))
    address = server.url.replace("//", "//gateway:p@")
    with running(server), running(Gateway(address, log=tmp_path / "log")) as gateway:
        async with plain_client(server) as client, Browser(gateway.stream) as browser:
            await make_stream(client, "SENSORS", ["sensors.*"], allow_direct=allow_direct)
            await make_stream(client, "OTHER", ["other.*"])
            for number in range(1, 11):
                await client.publish(f"sensors.{number % 2}", b"%d" % number)
            await until_stored(client, "SENSORS", 10)
            ways = [("all", 10), ({"last": 3}, 3), ("last_per_subject", 2), ({"since": "1h"}, 10)]
            for history, count in ways:
                await browser.ask({"subjects": ["sensors.*"], "history": history})
                messages = [await browser.next() for _ in range(count)]
                assert all(each["replay"] for each in messages)
                assert (await browser.next())["status"] == "live"
                await browser.ask({"subjects": ["sensors.*"], "action": "unsubscribe"})
            if not allow_direct:
                config = (await api(client, "STREAM.INFO.SENSORS"))["config"]
                await api(client, "STREAM.UPDATE.SENSORS", {**config, "allow_direct": True})
                await browser.ask({"subjects": ["sensors.*"], "history": "all"})
                assert [(await browser.next())["seq"] for _ in range(10)] == [*range(1, 11)]
            answer = await browser.ask({"subjects": ["other.*"], "history": "all"})
            assert (answer["code"], answer["reason"]) == ("no_history", "not_permitted")
