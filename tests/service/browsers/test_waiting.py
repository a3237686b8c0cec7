"""Requests made while NATS is away: taken up when it is back, unless they are taken back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running

DOWN = {"status": "nats_down"}
UP = {"status": "nats_up", "gap": True}


class Outage:
    """A gateway whose NATS server is away, and a bystander that followed `before.*` by then."""

    def __init__(self, server: NatsServer, service: Gateway, bystander: Browser) -> None:
        self.server, self.service, self.bystander = server, service, bystander

    async def end(self, *browsers: Browser) -> None:
        """Bring the server back; every connection is told before anything else."""
        self.server.start()
        for browser in (self.bystander, *browsers):
            assert await browser.next() == UP

    async def is_over(self, *patterns: str) -> None:
        """Fail unless exactly `patterns` are subscribed to, and the bystander got on well."""
        await eventually(lambda: self.server.subscriptions() == sorted(["before.*", *patterns]))
        with RawNats(self.server.port) as client:
            client.publish("before.this", b"1")
        assert await self.bystander.next() == {"subject": "before.this", "data": 1}
        await self.bystander.quiet()


@pytest.fixture
async def outage(tmp_path: Path, log: Path) -> AsyncIterator[Outage]:
    server = NatsServer(tmp_path)
    service = Gateway(server.url, log=log, max_subjects=3, deny_subjects="secret.>")
    with running(server), running(service):
        async with Browser(service.stream) as bystander:
            await bystander.subscribe("before.*")
            server.stop()
            assert await bystander.next() == DOWN
            yield Outage(server, service, bystander)


async def refused(browser: Browser, request: object) -> list[str]:
    """Ask, and return the codes: one for each subject."""
    subjects = request["subjects"]  # type: ignore[index]
    await browser.send(request)
    return [(await browser.next())["code"] for _ in subjects]


async def test_what_was_asked_for_in_an_outage_is_followed_after_it(outage: Outage) -> None:
    async with Browser(outage.service.stream) as browser:
        assert await browser.next() == DOWN
        assert await refused(browser, {"subjects": ["a", "b"], "id": 1}) == ["nats_down"] * 2
        assert await refused(browser, {"subjects": ["b", "c"], "id": "two"}) == ["nats_down"] * 2
        await outage.end(browser)
        answers = [await browser.next(), await browser.next()]
        assert [(each["action"], each["subjects"], each["id"]) for each in answers] == [
            ("subscribe", ["a"], 1),
            ("subscribe", ["b", "c"], "two"),
        ]
        with RawNats(outage.server.port) as client:
            client.publish("c", b"1")
        assert await browser.next() == {"subject": "c", "data": 1}
        await outage.is_over("a", "b", "c")


async def test_what_is_taken_back_in_an_outage_is_not_followed_after_it(outage: Outage) -> None:
    async with Browser(outage.service.stream) as browser:
        assert await browser.next() == DOWN
        assert await refused(browser, {"subjects": ["a", "b"]}) == ["nats_down"] * 2
        answer = await browser.ask({"subjects": ["a"], "action": "unsubscribe", "id": 3})
        assert (answer["action"], answer["subjects"], answer["id"]) == ("unsubscribe", ["a"], 3)
        answer = await browser.ask({"subjects": ["a"], "action": "unsubscribe"})
        assert answer["code"] == "not_subscribed"
        await outage.end(browser)
        assert (await browser.next())["subjects"] == ["b"]
        await outage.is_over("b")
        await browser.ask({"subjects": ["b"], "action": "unsubscribe"})
        await outage.is_over()


async def test_a_connection_that_ends_in_an_outage_leaves_nothing(outage: Outage) -> None:
    async with Browser(outage.service.stream) as leaving:
        assert await leaving.next() == DOWN
        assert await refused(leaving, {"subjects": ["a"]}) == ["nats_down"]
        leaving.kill()
    await eventually(lambda: outage.service.figures()["bridge_connections"] == 1)
    await outage.end()
    await outage.is_over()


async def test_what_waits_counts_as_followed_and_the_rest_is_refused_at_once(
    outage: Outage,
) -> None:
    async with Browser(outage.service.stream) as browser:
        assert await browser.next() == DOWN
        request = {"subjects": ["a", "b", "c", "d", "secret.x", "a..b"]}
        codes = ["nats_down"] * 3 + ["limit", "denied", "bad_subject"]
        assert await refused(browser, request) == codes
        assert await refused(browser, {"subjects": ["a"]}) == ["nats_down"]
        await outage.end(browser)
        assert (await browser.next())["subjects"] == ["a", "b", "c"]
        await outage.is_over("a", "b", "c")


async def test_a_client_that_asks_again_by_itself_is_served_once(outage: Outage) -> None:
    async with Browser(outage.service.stream) as browser:
        assert await browser.next() == DOWN
        assert await refused(browser, {"subjects": ["a"], "id": 1}) == ["nats_down"]
        await outage.end(browser)
        await browser.send({"subjects": ["a"], "id": 2})
        answers = [await browser.next()]
        while answers[-1]["id"] != 2:
            answers.append(await browser.next())
        assert all(answer["success"] for answer in answers)
        with RawNats(outage.server.port) as client:
            client.publish("a", b"1")
        assert await browser.next() == {"subject": "a", "data": 1}
        await outage.is_over("a")


async def test_what_was_asked_for_over_http_is_acknowledged_on_the_connection(
    outage: Outage,
) -> None:
    async with Browser(outage.service.stream) as browser:
        assert await browser.next() == DOWN
        request = {"connection_id": browser.connection_id, "subjects": ["a"], "id": 5}
        status, text = http(
            outage.service.stream.replace("ws", "http"), json.dumps(request).encode()
        )
        assert (status, json.loads(text)[0]["code"]) == (200, "nats_down")
        await outage.end(browser)
        answer = await browser.next()
        assert (answer["success"], answer["subjects"], answer["id"]) == (True, ["a"], 5)
        await outage.is_over("a")


async def test_an_unsubscribe_in_an_outage_leaves_no_ghost(outage: Outage) -> None:
    answer = await outage.bystander.ask({"subjects": ["before.*"], "action": "unsubscribe"})
    assert answer["success"] is True
    await outage.end()
    assert outage.server.subscriptions() == []
    await outage.bystander.subscribe("before.*")
    await outage.is_over()


async def test_what_nats_answers_too_late_is_followed_without_an_outage(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path)) as server, running(Gateway(server.url, log=log)) as service:
        async with Browser(service.stream) as browser:
            server.freeze()
            assert await refused(browser, {"subjects": ["late"], "id": 1}) == ["nats_down"]
            server.thaw()
            while "success" not in (answer := await browser.next()):
                pass  # a notice, if it took so long that the connection was made anew
            assert (answer["success"], answer["subjects"], answer["id"]) == (True, ["late"], 1)
            await eventually(lambda: server.subscriptions() == ["late"])


async def test_what_nats_denies_after_the_outage_is_refused_then(tmp_path: Path, log: Path) -> None:
    config = """authorization { users: [
        { user: gateway, password: pw, permissions: { subscribe: { deny: "secret.>" } } }
    ] }"""
    server = NatsServer(tmp_path, config)
    with running(server):
        service = Gateway(server.url.replace("//", "//gateway:pw@"), log=log)
        with running(service):
            async with Browser(service.stream) as browser:
                server.stop()
                assert await browser.next() == DOWN
                request = {"subjects": ["secret.a", "open"], "id": 9}
                assert await refused(browser, request) == ["nats_down"] * 2
                server.start()
                assert await browser.next() == UP
                answers = {
                    str(answer["subjects"]): answer
                    for answer in [await browser.next(), await browser.next()]
                }
                assert answers["['open']"]["success"] is True
                assert answers["['secret.a']"]["code"] == "denied"
                assert {answer["id"] for answer in answers.values()} == {9}
                assert server.subscriptions() == ["open"]
