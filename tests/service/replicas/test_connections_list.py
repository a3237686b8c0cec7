"""`GET /connections`: who is connected to any of several gateways."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.service.browsers.test_post import post
from tests.service.conftest import AS_OPERATOR, OPERATOR, TOKENS
from tests.support import readme
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running, until
from tests.support.shell import sh
from tests.timing import Stopwatch


async def listing(gateway: Gateway) -> Any:
    status, text = await asyncio.to_thread(http, f"{gateway.url}/connections", **AS_OPERATOR)
    assert status == 200, text
    return json.loads(text)


async def test_operators_alone_see_who_is_connected(
    replicas: tuple[Gateway, Gateway], gateway: Gateway
) -> None:
    url = f"{replicas[0].url}/connections"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {OPERATOR}"}):
        assert http(url, **headers)[0] == 401
    alice = {"Authorization": f"Bearer {TOKENS['alice']}"}
    assert http(url, **alice)[0] == 401
    until(lambda: "the token of an operator is needed" in replicas[0].output())
    assert http(f"{gateway.url}/connections") == (403, "Set OPERATOR_TOKEN to see this.\n")


async def test_connections_of_every_replica_are_listed(
    replicas: tuple[Gateway, Gateway], raw_nats: RawNats
) -> None:
    here, there = replicas
    token = {"Authorization": f"Bearer {TOKENS['alice']}"}
    async with Browser(here.stream) as one, Browser(there.stream, additional_headers=token) as two:
        await two.subscribe("listed.a", "listed.>")
        raw_nats.publish("listed.a", b"1")
        await two.next()
        watch = Stopwatch()
        roster = await listing(here)
        assert watch.own < 3
        assert roster["complete"] is True
        entries = {each["connection_id"]: each for each in roster["connections"]}
        mine = entries[two.connection_id]
        since = datetime.fromisoformat(mine.pop("since"))
        assert abs((datetime.now(UTC) - since).total_seconds()) < 60
        assert mine == {
            "connection_id": two.connection_id,
            "address": "127.0.0.1",
            "identity": ["token", "alice"],
            "patterns": ["listed.a", "listed.>"],
            "delivered": 1,
            "dropped": 0,
            "pending": 0,
        }
        assert entries[one.connection_id]["patterns"] == []
        counts = {each["replica"]: each["connections"] for each in roster["replicas"]}
        assert counts[one.connection_id[:8]] == counts[two.connection_id[:8]] == 1


async def test_operators_get_the_list_that_the_readme_shows(tmp_path: Path, log: Path) -> None:
    (tmp_path / "tokens").write_text(json.dumps({"name": "wall", "token": TOKENS["alice"]}))
    settings = {"operator_token": OPERATOR, "tokens_file": tmp_path / "tokens"}
    (command,) = (each for each, (test, _) in readme.COMMANDS.items() if test == readme.ROSTER)
    said = readme.Conversation("docs/deploy.md")
    server = NatsServer(tmp_path)
    with (
        running(server),
        RawNats(server.port) as raw_nats,
        running(Gateway(server.url, log=log, **settings)) as alone,
    ):
        token = {"Authorization": f"Bearer {TOKENS['alice']}"}
        async with Browser(alone.stream, additional_headers=token) as browser:
            await browser.subscribe("orders.*")
            for number in range(120):
                raw_nats.publish("orders.new", b"1")
                assert (await browser.next())["data"] == 1, number
            command = command.replace("5001", str(alone.port))
            said.saw(await asyncio.to_thread(sh, command, tmp_path, OPERATOR_TOKEN=OPERATOR))
    assert not said.left


async def test_a_long_list_comes_whole(replicas: tuple[Gateway, Gateway]) -> None:
    here, there = replicas
    long = [f"{number}.{'x' * 240}" for number in range(128)]
    async with AsyncExitStack() as stack:
        for _ in range(40):  # 1.2 MB: more than one NATS message can hold
            await (await stack.enter_async_context(Browser(there.stream))).subscribe(*long)
        roster = await listing(here)
        assert roster["complete"] is True
        assert sum(each["patterns"] == long for each in roster["connections"]) == 40


async def test_a_replica_that_does_not_answer_any_more_is_missed_until_it_is_gone(
    replicas: tuple[Gateway, Gateway], nats_server: NatsServer, log: Path
) -> None:
    here, _ = replicas
    with running(Gateway(nats_server.url, log=log)) as other:
        async with Browser(other.stream) as browser:
            name = browser.connection_id[:8]
            assert (await listing(here))["complete"] is True
            other.ps().suspend()
            try:
                roster = await listing(here)
                assert roster["complete"] is False
                missed = {"replica": name, "host": "", "connections": 0, "complete": False}
                assert missed in roster["replicas"]
            finally:
                other.ps().resume()
            assert (await listing(here))["complete"] is True
    roster = await listing(here)
    assert roster["complete"] is True
    assert name not in [each["replica"] for each in roster["replicas"]]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_a_follower_of_everything_hides_no_replica_that_is_gone(
    replicas: tuple[Gateway, Gateway], nats_server: NatsServer, log: Path, end: int
) -> None:
    here, there = replicas
    other = Gateway(nats_server.url, log=log)
    async with Browser(there.stream) as follower:
        await follower.subscribe(">")
        with running(other):
            async with Browser(other.stream) as browser:
                of_other = browser.connection_id
                roster = await listing(here)
                assert of_other in [each["connection_id"] for each in roster["connections"]]
                assert other.process is not None
                other.process.send_signal(end)
                await browser.closed()
            other.process.wait(20)
            other.process = None
        if end == signal.SIGKILL:  # it could not say goodbye
            assert (await listing(here))["complete"] is False
        await eventually(lambda: complete(here), within=60)
        roster = await listing(here)
        assert of_other[:8] not in [each["replica"] for each in roster["replicas"]]
        request = {"connection_id": of_other, "subjects": ["a"], "id": 3}
        status, answers = await post(here, request)
        assert (status, answers[0]["message"]) == (404, "No connection has this connection_id.")


def complete(gateway: Gateway) -> bool:
    return bool(json.loads(http(f"{gateway.url}/connections", **AS_OPERATOR)[1])["complete"])


async def test_a_list_that_lacks_others_says_so(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    server = NatsServer(tmp_path)
    with running(server), running(Gateway(server.url, log=log, operator_token=OPERATOR)) as alone:
        async with Browser(alone.stream) as browser:
            assert (await listing(alone))["complete"] is True
            server.stop()
            roster = await listing(alone)
            assert roster["complete"] is False
            assert [each["connection_id"] for each in roster["connections"]] == [
                browser.connection_id
            ]


def test_a_short_operator_token_ends_the_start(nats_server: NatsServer, log: Path) -> None:
    service = Gateway(nats_server.url, log=log, operator_token="planted-secret"[:9])
    service.launch()
    assert service.wait() == 2
    assert "OPERATOR_TOKEN: it needs at least 16 characters" in service.output()
