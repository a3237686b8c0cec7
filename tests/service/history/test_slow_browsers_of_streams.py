"""Browsers that follow streams and read slowly lose nothing, and cost nobody else anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import TEXT, fill, fresh_stream, slow_browser, sound
from tests.support.browser_client import Browser
from tests.support.jetstream import last_of
from tests.support.servers import Gateway, NatsServer, eventually


@pytest.fixture(scope="module")
def gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that holds little for each connection, and replays little."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    settings = {"max_pending_bytes": 32768, "max_replay": 3000, "write_timeout": 60}
    with sound(Gateway(stream_server.url, log=log, **settings)) as gateway:
        yield gateway


async def lines_of(browser: Browser) -> Any:
    """Yield what comes, line by line."""
    while True:
        frame = await browser.frame()
        for text in frame.splitlines():
            yield json.loads(text)


async def begin(lines: Any) -> dict[str, Any]:
    """Read up to the first notice that it is live; return the response."""
    said: dict[str, Any] = {}
    async for line in lines:
        said = line.get("history", said)
        if line.get("status") == "live":
            return said
    raise AssertionError


@pytest.mark.parametrize(
    ("query", "more"),
    [
        ("", {}),
        ("", {"meta": ["time", "headers"]}),
        ("?batch=1", {}),
        ("?batch=1", {"meta": ["time"]}),
        ("deflated", {}),
        ("?batch=2", {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_live", [True, False])
async def test_whoever_stops_reading_has_all_in_the_end(
    client: Client, gateway: Gateway, query: str, more: dict[str, Any], is_live: bool
) -> None:
    name, token = await fresh_stream(client)
    payloads = [b'"%d %s"' % (number, b"x" * 1000) for number in range(2000)]
    options: dict[str, Any] = {}
    if query == "deflated":
        query, options = "", {"compression": "deflate"}
    async with slow_browser(gateway, query, **options) as slow, Browser(gateway.stream) as other:
        await other.ask({"subjects": [f"{token}.>"], "history": "new"})
        lines = lines_of(slow)
        if is_live:
            await slow.send({"subjects": [f"{token}.>"], "history": "new", **more})
            await begin(lines)
            slow.ws.transport.pause_reading()
        await fill(client, name, [f"{token}.a", f"{token}.b"], payloads)
        if not is_live:
            slow.ws.transport.pause_reading()
            await slow.send({"subjects": [f"{token}.>"], "history": "all", **more})
        had = 0  # the other one has all of it meanwhile
        while had < 2000:
            line = await other.next()
            if "data" in line:
                had += 1
                assert line["seq"] == had
        assert gateway.figures()["bridge_messages_pending"] < 100
        slow.ws.transport.resume_reading()
        got, told = [], []
        async for line in lines:
            if "data" in line:
                got.append(line)
            elif "status" in line:
                told.append(line["status"])
            if len(got) == 2000 and told[-1:] != ["behind"]:
                break
        assert [each["seq"] for each in got] == [*range(1, 2001)]
        assert [int(each["data"].split()[0]) for each in got] == [*range(2000)]
        assert all(("replay" in each) is not is_live for each in got)
        assert all(("time" in each) is ("meta" in more) for each in got)
        assert set(told) <= {"behind", "live"}
        await client.publish(f"{token}.a", b"1")
        async for line in lines:
            if "data" in line:
                assert (line["data"], line["seq"]) == (1, 2001)
                break
    assert gateway.figures()['bridge_messages_dropped_total{reason="slow"}'] == 0


async def test_whoever_is_too_far_behind_is_told_what_it_missed(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    async with slow_browser(gateway) as slow:
        lines = lines_of(slow)
        await slow.send({"subjects": [f"{token}.>"], "history": "new"})
        await begin(lines)
        slow.ws.transport.pause_reading()
        await fill(client, name, [f"{token}.a"], [TEXT] * 8000)
        await asyncio.sleep(1)
        slow.ws.transport.resume_reading()
        at, missed = 0, 0
        async for line in lines:
            if line.get("status") == "missed":
                assert (line["after"], line["reason"]) == (at, "too_many")
                missed += line["until"] - at
                at = line["until"]
            elif "data" in line:
                at += 1
                assert line["seq"] == at
            if at == 8000:
                break
        assert missed > 3000


async def test_memory_is_bounded_whoever_reads_nothing(client: Client, gateway: Gateway) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [b'"%s"' % (b"x" * 20000)] * 1000)
    async with Browser(gateway.stream) as first:
        await first.ask({"subjects": [f"{token}.b"], "history": "new"})
    before = gateway.ps().memory_info().rss
    browsers = [slow_browser(gateway) for _ in range(10)]
    for browser in browsers:
        await browser.__aenter__()
        browser.ws.transport.pause_reading()
        await browser.send({"subjects": [f"{token}.>"], "history": "all"})
    await asyncio.sleep(3)
    grown = gateway.ps().memory_info().rss - before
    for browser in browsers:
        browser.kill()
    await eventually(lambda: gateway.figures()["bridge_connections"] == 0)
    assert grown < 30_000_000


async def test_an_unread_replay_holds_up_nobody(client: Client, gateway: Gateway) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [TEXT] * 3000)
    async with Browser(gateway.stream) as other:
        browsers = [slow_browser(gateway) for _ in range(8)]
        for browser in browsers:
            await browser.__aenter__()
            browser.ws.transport.pause_reading()
            await browser.send({"subjects": [f"{token}.>"], "history": "all"})
        await other.send({"subjects": [f"{token}.*"], "history": "all"})
        lines = lines_of(other)
        count = 0
        async for line in lines:
            count += "data" in line
            if line.get("status") == "live":
                break
        assert count == 3000
        for browser in browsers:
            browser.kill()
    assert await last_of(client, name) == 3000
