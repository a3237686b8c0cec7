"""Several gateways beside one NATS server: requests and lists reach the connections of all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import readme
from tests.browser_client import Browser
from tests.raw_nats import RawNats
from tests.servers import Gateway, NatsServer, http, running
from tests.service.test_post import post
from tests.shell import sh

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
        "allow_subjects": "> nats_bridge.>",
    }
    first = Gateway(nats_server.url, log=folder / "first", **settings)
    second = Gateway(nats_server.url, log=folder / "second", **settings)
    with running(first), running(second):
        yield first, second


async def listing(gateway: Gateway) -> Any:
    status, text = await asyncio.to_thread(http, f"{gateway.url}/connections", **AS_OPERATOR)
    assert status == 200, text
    return json.loads(text)


async def test_a_request_reaches_a_connection_of_another_replica(
    replicas: tuple[Gateway, Gateway], raw_nats: RawNats
) -> None:
    here, there = replicas
    async with Browser(there.stream) as browser:
        request = {"connection_id": browser.connection_id, "subjects": ["by.post", "a..b"], "id": 4}
        answers = [await post(each, request) for each in (here, there)]
        assert answers[0] == answers[1]
        status, responses = answers[0]
        assert status == 200
        assert [each.get("code") for each in responses] == [None, "bad_subject"]  # type: ignore[attr-defined]
        raw_nats.publish("by.post", b"1.50")
        assert await browser.frame() == '{"subject":"by.post","data":1.50}'
        status, _ = await post(here, {**request, "subjects": "by.post", "action": "unsubscribe"})
        raw_nats.publish("by.post", b"2")
        await browser.quiet()


async def test_a_connection_that_nobody_holds_is_404_at_once(
    replicas: tuple[Gateway, Gateway],
) -> None:
    here, there = replicas
    async with Browser(there.stream) as browser:
        known = browser.connection_id
    for unknown in (
        known,
        "f" * 32,
        known[:8] + "f" * 24,
        "",
        "*" * 32,
        "x y z 9\tX" * 4,
        "é" * 40,
    ):
        began = time.monotonic()
        status, answers = await post(here, {"connection_id": unknown, "subjects": ["a"], "id": 1})
        assert (status, time.monotonic() - began < 1) == (404, True), unknown
        assert answers == [
            {
                "success": False,
                "message": "No connection has this connection_id.",
                "code": "bad_request",
                "subjects": [],
                "id": 1,
            }
        ]
    assert "the NATS server says" not in here.output()


async def test_a_connection_of_a_replica_that_does_not_answer_is_404_after_a_second(
    replicas: tuple[Gateway, Gateway], nats_server: NatsServer, log: Path
) -> None:
    here, _ = replicas
    with running(Gateway(nats_server.url, log=log)) as frozen:
        async with Browser(frozen.stream) as browser:
            frozen.ps().suspend()
            try:
                began = time.monotonic()
                request = {"connection_id": browser.connection_id, "subjects": ["a"]}
                status, _ = await post(here, request)
                assert status == 404
                assert 0.9 < time.monotonic() - began < 2
            finally:
                frozen.ps().resume()


async def test_a_connection_of_somebody_else_is_404_at_every_replica(
    replicas: tuple[Gateway, Gateway],
) -> None:
    there = replicas[1]
    token = {"Authorization": f"Bearer {TOKENS['alice']}"}
    async with Browser(there.stream, additional_headers=token) as browser:
        request = {"connection_id": browser.connection_id, "subjects": ["a"]}
        for gateway in replicas:
            assert (await post(gateway, request))[0] == 404
            wrong = await post(gateway, request, Authorization=f"Bearer {TOKENS['bob']}")
            assert wrong[0] == 404
            assert (await post(gateway, request, **token))[0] == 200


async def test_while_nats_is_away_a_request_for_another_replica_is_503(
    tmp_path: Path, log: Path
) -> None:
    server = NatsServer(tmp_path)
    with running(server), running(Gateway(server.url, log=log)) as service:
        server.stop()
        while http(f"{service.url}/readyz")[0] == 200:
            await asyncio.sleep(0.01)
        status, answers = await post(service, {"connection_id": "f" * 32, "subjects": ["a"]})
        assert status == 503
        assert answers[0]["code"] == "nats_down"  # type: ignore[index]


async def test_control_subjects_are_denied_even_if_they_are_granted(
    replicas: tuple[Gateway, Gateway], raw_nats: RawNats
) -> None:
    async with Browser(replicas[0].stream) as browser:
        for pattern in ("nats_bridge.>", "nats_bridge.connections", "nats_bridge.request.*"):
            answer = await browser.ask({"subjects": [pattern]})
            assert answer.get("code") == "denied", pattern
        await browser.subscribe(">", "*.connections")
        raw_nats.publish("nats_bridge.request.00000000", b"1")
        raw_nats.publish("nats_bridge.connections", b"2")
        await browser.quiet()


async def test_operators_alone_see_who_is_connected(
    replicas: tuple[Gateway, Gateway], gateway: Gateway
) -> None:
    url = f"{replicas[0].url}/connections"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {OPERATOR}"}):
        assert http(url, **headers)[0] == 401
    alice = {"Authorization": f"Bearer {TOKENS['alice']}"}
    assert http(url, **alice)[0] == 401
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
        began = time.monotonic()
        roster = await listing(here)
        assert time.monotonic() - began < 3
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
    said = readme.Conversation("Several replicas")
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


async def test_a_list_that_lacks_a_replica_says_so(
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


async def test_garbage_on_control_subjects_harms_nobody(
    replicas: tuple[Gateway, Gateway], raw_nats: RawNats
) -> None:
    here, there = replicas
    async with Browser(there.stream) as browser:
        name = browser.connection_id[:8]
        garbage = (b"", b"\xff", b"[]", b"{}", b'{"identity":[],"request":"\xff"}', b"[" * 2000)
        for payload in garbage:
            raw_nats.publish(f"nats_bridge.request.{name}", payload)
            raw_nats.publish(f"nats_bridge.request.{name}", payload, "some.inbox")
            raw_nats.publish("nats_bridge.connections", payload)
            raw_nats.publish("nats_bridge.connections", payload, "some.inbox")
        await browser.subscribe("after.garbage")
        raw_nats.publish("after.garbage", b"1")
        assert await browser.next() == {"subject": "after.garbage", "data": 1}
        status, _ = await post(here, {"connection_id": browser.connection_id, "subjects": ["b"]})
        assert status == 200
    assert "Traceback" not in there.output()


def test_a_short_operator_token_ends_the_start(nats_server: NatsServer, log: Path) -> None:
    service = Gateway(nats_server.url, log=log, operator_token="planted-secret"[:9])
    service.launch()
    assert service.wait() == 2
    assert "OPERATOR_TOKEN: it needs at least 16 characters" in service.output()
