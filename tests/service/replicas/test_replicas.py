"""Several gateways beside one NATS server: a request reaches the connections of all."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.service.browsers.test_post import NOBODY, post
from tests.service.conftest import AS_OPERATOR, TOKENS
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, http, running
from tests.timing import Stopwatch


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
        watch = Stopwatch()
        status, answers = await post(here, {"connection_id": unknown, "subjects": ["a"], "id": 1})
        assert (status, watch.own < 1) == (404, True), unknown
        assert answers == [NOBODY]
    assert "the NATS server says" not in here.output()


async def test_a_connection_of_a_replica_that_does_not_answer_is_404_after_a_second(
    replicas: tuple[Gateway, Gateway], nats_server: NatsServer, log: Path
) -> None:
    here, _ = replicas
    with running(Gateway(nats_server.url, log=log)) as frozen:
        async with Browser(frozen.stream) as browser:
            frozen.ps().suspend()
            try:
                watch = Stopwatch()
                request = {"connection_id": browser.connection_id, "subjects": ["a"]}
                status, answers = await post(here, request)
                assert status == 404
                assert "may still carry the request out" in answers[0]["message"]  # type: ignore[index]
                assert 0.9 < watch.seconds
                assert watch.own < 2
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
        controls = ("nats_bridge.>", "nats_bridge.connections", "nats_bridge.request.*")
        for pattern in (*controls, "_INBOX.nats_bridge.>", "_INBOX.nats_bridge.*"):
            answer = await browser.ask({"subjects": [pattern]})
            assert answer.get("code") == "denied", pattern
        await browser.subscribe(">", "*.connections", "_INBOX.>")
        assert http(f"{replicas[1].url}/connections", **AS_OPERATOR)[0] == 200
        request = {"connection_id": browser.connection_id, "subjects": ["a"]}
        assert (await post(replicas[1], request))[0] == 200
        raw_nats.publish("nats_bridge.request.00000000", b"1")
        raw_nats.publish("nats_bridge.connections", b"2")
        await browser.quiet()


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
