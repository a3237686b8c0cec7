"""A program written from the tutorial runs unchanged on our `handler.py`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 14),
    reason="Panini 0.8.4 applies nest_asyncio, and its own App does not start on Python 3.14",
)


@pytest.fixture(params=["async", "plain", "none"])
def program(
    request: pytest.FixtureRequest, nats_server: NatsServer, log: Path
) -> Iterator[Gateway]:
    path = "tests/programs/from_the_tutorial.py"
    service = Gateway(nats_server.url, program=path, log=log, callback=request.param)
    service.start()
    yield service
    service.stop(signal.SIGKILL)  # Panini's own App has no orderly end


async def test_program_from_the_tutorial(
    program: Gateway, nats_server: NatsServer, raw_nats: RawNats
) -> None:
    kind = program._environment["CALLBACK"]
    async with Browser(program.stream) as one, Browser(program.stream) as two:
        for browser in (one, two):
            answer = await browser.ask({"subjects": ["tutorial.*"], "action": "subscribe"})
            assert answer["message"] == "Successfully connected to events: 'tutorial.*'"
        assert nats_server.subscriptions() == ["tutorial.*"]
        ssids = json.loads((await asyncio.to_thread(http, f"{program.url}/ssid_map"))[1])
        assert [len(followers) for followers in ssids.values()] == [2]
        if kind == "plain":
            raw_nats.publish("tutorial.a", b'"bug"')
        for payload in (b'{"n": 1}', b"[1]", b"text", b"\xff"):
            raw_nats.publish("tutorial.a", payload)
        for browser in (one, two):
            if kind == "plain":
                assert await browser.next() == {"dropped": 1}
            messages = [await browser.next() for _ in range(4)]
            assert [each["data"] for each in messages] == [{"n": 1}, [1], "text", "/w=="]
            assert {each["subject"] for each in messages} == {"tutorial.a"}
            assert {each.get("by") for each in messages} == {
                "callback" if kind == "async" else None
            }
        await one.ask({"subjects": ["tutorial.*"], "action": "unsubscribe"})
        raw_nats.publish("tutorial.a", b"2")
        assert (await two.next())["data"] == 2
        await one.quiet()
    await eventually(lambda: nats_server.subscriptions() == [])
    assert http(program.url)[1].startswith("<!doctype html>")


async def test_callback_keeps_the_order_of_messages(program: Gateway, raw_nats: RawNats) -> None:
    async with Browser(program.stream) as browser:
        await browser.subscribe("tutorial.order", "tutorial.*")
        commands = (RawNats.command(b"tutorial.order", b"%d" % n) for n in range(900))
        raw_nats.send(b"".join(commands))
        assert [(await browser.next())["data"] for _ in range(900)] == list(range(900))
