"""Several patterns of one connection with their past, at one time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import TEXT, fill, fresh_stream, slow_browser, sound
from tests.support.browser_client import Browser
from tests.support.servers import Gateway, NatsServer


@pytest.fixture(scope="module")
def gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that holds little for each connection."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    with sound(Gateway(stream_server.url, log=log, max_pending_bytes=16384)) as gateway:
        yield gateway


@asynccontextmanager
async def behind(client: Client, gateway: Gateway) -> AsyncIterator[tuple[Browser, str, str]]:
    """Connect a browser that reads nothing for now; yield it, and two patterns.

    The first one has 300 messages that find no room, so it falls behind. Of the second one 1000
    older ones are replayed meanwhile.
    """
    name, token = await fresh_stream(client)
    a, b = f"{token}.a", f"{token}.b"
    await fill(client, name, [b], [TEXT] * 1000)
    async with slow_browser(gateway) as browser:
        await browser.ask({"subjects": [a], "history": "new"})
        await read(browser, until={"status": "live"})
        browser.ws.transport.pause_reading()
        await browser.send({"subjects": [b], "history": "all", "id": 1})
        await asyncio.sleep(0.2)
        for _ in range(300):
            await client.publish(a, TEXT)
        await client.flush()
        await asyncio.sleep(0.2)
        yield browser, a, b


async def read(browser: Browser, *, until: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what comes up to a line that has these keys and values."""
    lines = []
    while True:
        lines.append(await browser.next())
        if until.items() <= lines[-1].items():
            return lines


def sequences(lines: list[dict[str, Any]], **having: object) -> list[int]:
    return [e["seq"] for e in lines if "data" in e and having.items() <= e.items()]


async def test_each_response_comes_before_what_it_announces(
    client: Client, gateway: Gateway
) -> None:
    (near, a), (far, b) = [await fresh_stream(client) for _ in range(2)]
    async with Browser(gateway.stream) as first:
        start = (await first.ask({"subjects": [f"{a}.>"], "history": "new"}))["history"]
        await fill(client, near, [f"{a}.a"], [b"1"] * 10)
        while (await first.next()).get("seq") != 10:
            pass
        # The ring has all of the one; of the other, JetStream has to be asked.
        cursor = f"{near}.{start['epoch']}.0/{far}.0.5"
        async with Browser(gateway.stream) as browser:
            patterns = [f"{a}.>", f"{b}.>"]
            await browser.send({"subjects": patterns, "history": {"after": cursor}})
            lines = [await browser.next() for _ in range(2 + 10 + 2)]
        assert [line["subjects"] for line in lines[:2]] == [[each] for each in patterns]


async def test_one_of_the_patterns_of_a_replay_is_left(client: Client, gateway: Gateway) -> None:
    name, token = await fresh_stream(client)
    a, b = f"{token}.a", f"{token}.b"
    await fill(client, name, [a, b], [TEXT] * 2000)
    async with slow_browser(gateway) as browser:
        for each in range(4):
            browser.ws.transport.pause_reading()
            await browser.send({"subjects": [a, b], "history": "all", "id": each})
            await asyncio.sleep(0.1)
            await browser.send({"action": "unsubscribe", "subjects": [a], "id": "left"})
            # Another consumer is made, without it.
            async with Browser(gateway.stream) as other:
                await other.ask({"subjects": [f"{token}.c{each}"], "history": "new"})
            browser.ws.transport.resume_reading()
            before = await read(browser, until={"id": "left"})
            after = await read(browser, until={"status": "live"})
            assert not sequences(after, subject=a)
            got = sequences(before + after, subject=b)
            assert got == list(range(2, 2001, 2))
            await browser.ask({"action": "unsubscribe", "subjects": [b]})


async def test_what_is_left_while_it_is_behind_does_not_keep_others_from_being_live(
    client: Client, gateway: Gateway
) -> None:
    async with behind(client, gateway) as (browser, a, b):
        await browser.send({"action": "unsubscribe", "subjects": [a], "id": "left"})
        browser.ws.transport.resume_reading()
        lines = await read(browser, until={"id": "left"})
        lines += await read(browser, until={"status": "live"})
        assert sequences(lines, subject=b) == list(range(1, 1001))
        await client.publish(b, b'"new"')
        assert (await browser.next())["data"] == "new"


async def test_all_is_left_while_some_of_it_is_behind(client: Client, gateway: Gateway) -> None:
    async with behind(client, gateway) as (browser, a, b):
        await browser.send({"action": "unsubscribe", "subjects": [a, b], "id": "left"})
        browser.ws.transport.resume_reading()
        await read(browser, until={"id": "left"})
        await read(browser, until={"id": "left"})
        await asyncio.sleep(0.1)
        await browser.quiet()


async def test_live_is_not_said_of_what_is_behind(client: Client, gateway: Gateway) -> None:
    async with behind(client, gateway) as (browser, a, b):
        browser.ws.transport.resume_reading()
        had, lines = 0, []
        while had < 1300:
            line = await browser.next()
            lines.append(line)
            if line.get("status") == "live":
                assert line["seq"] <= had, line
            elif "data" in line and "replay" not in line:
                had = line["seq"]
        assert sequences(lines, subject=b) == list(range(1, 1001))
        assert sequences(lines, subject=a) == list(range(1001, 1301))


async def test_a_pattern_that_covers_what_waits_is_left(client: Client, gateway: Gateway) -> None:
    """What one pattern was to bring, another one does."""
    name, token = await fresh_stream(client)
    a, every = f"{token}.a", f"{token}.>"
    await fill(client, name, [a], [TEXT] * 300)
    async with slow_browser(gateway) as browser:
        await browser.ask({"subjects": [a], "history": "new"})
        await read(browser, until={"status": "live"})
        browser.ws.transport.pause_reading()
        await browser.send({"subjects": [every], "history": "all", "id": 1})
        await asyncio.sleep(0.2)
        for _ in range(300):
            await client.publish(a, TEXT)
        await client.flush()
        await asyncio.sleep(0.2)
        browser.ws.transport.resume_reading()
        lines = []
        while sequences(lines)[-1:] != [300]:
            lines.append(await browser.next())
        browser.ws.transport.pause_reading()
        await asyncio.sleep(0.1)
        await browser.send({"action": "unsubscribe", "subjects": [a], "id": "left"})
        await asyncio.sleep(0.1)
        browser.ws.transport.resume_reading()
        await client.publish(f"{token}.b", b'"last"')
        lines += await read(browser, until={"data": "last"})
        got = sequences(lines)
        assert sorted(got) == list(range(1, 602))


async def test_as_many_large_messages_as_there_is_no_room_for(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    sizes = [100, 60000, 200000, 10, 900000, 31000, 31000, 16384, 5]
    await fill(client, name, [f"{token}.a"], [b'"%s"' % (b"x" * each) for each in sizes])
    async with slow_browser(gateway) as browser:
        await browser.ask({"subjects": [f"{token}.>"], "history": "all"})
        lines = await read(browser, until={"status": "live"})
        assert [len(each["data"]) for each in lines[:-1]] == sizes
        for each in sizes:
            await client.publish(f"{token}.a", b'"%s"' % (b"x" * each))
        lines = [await browser.next() for _ in sizes]
        assert [len(each["data"]) for each in lines] == sizes
