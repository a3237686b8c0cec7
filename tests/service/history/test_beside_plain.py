"""Plain patterns and patterns with their past that bring the same messages to one connection."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nats.aio.client import Client

from tests.support.browser_client import Browser
from tests.support.jetstream import make_stream
from tests.support.servers import Gateway, eventually

numbers = itertools.count(1)
BURST = 40
"""Messages in a row: some are always on their way by the one and not by the other."""


@asynccontextmanager
async def publishing(client: Client, subject: str) -> AsyncIterator[list[int]]:
    """Publish numbers, many in a row, for as long as the block lasts."""
    sent: list[int] = []

    async def publish() -> None:
        while True:
            for _ in range(BURST):
                sent.append(len(sent))
                await client.publish(subject, str(sent[-1]).encode())
            await asyncio.sleep(0.01)

    task = asyncio.create_task(publish())
    try:
        yield sent
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def collect(browser: Browser, got: list[dict[str, Any]]) -> None:
    while True:
        got.append(await browser.next())


@pytest.mark.parametrize("first", ["plain", "stored"])
async def test_each_message_comes_once_whichever_comes_and_goes(
    client: Client, stream_gateway: Gateway, first: str
) -> None:
    token = f"beside{next(numbers)}"
    await make_stream(client, token.upper(), [f"{token}.>"])
    got: list[dict[str, Any]] = []
    stored: dict[str, object] = {"subjects": [f"{token}.a"], "history": "new"}
    plain: dict[str, object] = {"subjects": [f"{token}.*", f"{token}.>"]}
    if first == "stored":
        stored, plain = plain | {"history": "new"}, {"subjects": [f"{token}.a"]}
    there, coming = (plain, stored) if first == "plain" else (stored, plain)
    leave = {"subjects": coming["subjects"], "action": "unsubscribe"}
    async with Browser(stream_gateway.stream) as browser, publishing(client, f"{token}.a") as sent:
        await browser.send(there)
        reading = asyncio.create_task(collect(browser, got))
        await eventually(lambda: got)
        begin = len(sent)
        for _ in range(6):
            await browser.send(coming)
            await asyncio.sleep(0.4)
            await browser.send(leave)
            await asyncio.sleep(0.4)
        end = len(sent)
        await eventually(lambda: any(each.get("data") == end for each in got))
        reading.cancel()
    assert [line for line in got if "data" not in line and not line.get("success", True)] == []
    counts = Counter(each["data"] for each in got if "data" in each and "subject" in each)
    assert {each: counts[each] for each in range(begin, end) if counts[each] != 1} == {}
    ways = {"seq" in each for each in got if "subject" in each}
    assert ways == ({True, False} if first == "plain" else {True})


async def test_what_a_named_stream_does_not_have_comes_by_the_plain_pattern(
    client: Client, stream_gateway: Gateway
) -> None:
    token = f"part{next(numbers)}"
    await make_stream(client, token.upper(), [f"{token}.a", f"{token}.b"])
    async with Browser(stream_gateway.stream) as browser:
        await browser.subscribe(f"{token}.>")
        request = {"subjects": [f"{token}.*"], "history": "new", "stream": token.upper()}
        assert (await browser.ask(request))["success"] is True
        assert (await browser.next())["status"] == "live"
        await client.publish(f"{token}.a", b"1")
        await client.publish(f"{token}.c", b"2")
        lines = [await browser.next() for _ in range(2)]
        lines.sort(key=lambda line: str(line["subject"]))
        assert lines == [
            {"subject": f"{token}.a", "seq": 1, "data": 1},
            {"subject": f"{token}.c", "data": 2},
        ]
