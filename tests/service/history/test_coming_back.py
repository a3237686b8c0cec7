"""What JetStream is asked for many who come back, and for one who wants to know much."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from bridge.history.pace import BURST, RATE
from bridge.wire.cursor import Cursor, epoch_of
from tests.service.history.browsers import due, fill, sound
from tests.support.browser_client import Browser
from tests.support.jetstream import Entry, api, entries_of, make_stream
from tests.support.servers import Gateway, NatsServer

CROWD, SUBJECTS = 300, 100
MOST_REQUESTS, OF_A_CONSUMER = 20, 4
"""Another consumer takes the latter: the leader is asked before and after, and one is deleted."""
PATTERNS = [f"s.{number}" for number in range(SUBJECTS)]


@asynccontextmanager
async def noted(client: Client) -> AsyncIterator[Counter[str]]:
    """Count what JetStream is asked about a stream `S` meanwhile: whoever subscribes gets that."""
    asked: Counter[str] = Counter()

    async def note(message: Msg) -> None:
        what, *_ = message.subject.removeprefix("$JS.API.").split(".S")
        asked[what] += 1

    subscription = await client.subscribe("$JS.API.>", cb=note)
    await client.flush()
    yield asked
    await client.flush()
    await subscription.unsubscribe()


async def go_on(browser: Browser, pattern: str, cursor: Cursor) -> list[int]:
    """Resume; return the sequences that come until it is live."""
    answer = await browser.ask({"subjects": [pattern], "history": {"after": str(cursor)}})
    assert answer["history"]["resumed"] is True, answer
    found = []
    while (line := await browser.next()).get("status") != "live":
        assert "status" not in line, line
        found.append(line["seq"])
    return found


async def all_go_on(
    gateway: Gateway, cursors: Sequence[tuple[str, Cursor]], truth: list[Entry], at_once: int
) -> None:
    """Have as many browsers go on as there are cursors; each gets what it has missed."""
    async with AsyncExitStack() as stack:
        browsers = []
        for _ in cursors:
            browsers.append(await stack.enter_async_context(Browser(gateway.stream)))
        going = [go_on(each, *since) for each, since in zip(browsers, cursors, strict=True)]
        found: list[list[int]] = []
        for begin in range(0, len(going), at_once):
            found += await asyncio.gather(*going[begin : begin + at_once])
        for (pattern, cursor), sequences in zip(cursors, found, strict=True):
            assert sequences == due(truth, pattern, cursor.sequence)


@pytest.mark.parametrize(
    ("stored", "patterns", "at_once"),
    [
        (900, PATTERNS, CROWD),
        (5000, PATTERNS, CROWD),
        (5000, PATTERNS, 10),
        pytest.param(1500, ["s.1", "s.>", "s.*"], CROWD, marks=pytest.mark.long),
    ],
)
async def test_many_who_come_back_share_what_is_read(
    client: Client,
    stream_server: NatsServer,
    tmp_path: Path,
    stored: int,
    patterns: list[str],
    at_once: int,
) -> None:
    """As many as a ring holds, or as some blocks do; each was somewhere else in it."""
    await make_stream(client, "S", ["s.>", "t"])
    await fill(client, "S", [f"s.{number}" for number in range(SUBJECTS)], [b"1"] * stored)
    truth = await entries_of(client, "S")
    epoch = epoch_of((await api(client, "STREAM.INFO.S"))["created"])
    cursors = [
        (patterns[number % len(patterns)], Cursor("S", epoch, random.randrange(stored)))
        for number in range(CROWD)
    ]
    gateway = Gateway(stream_server.url, log=tmp_path / "log", max_connections_per_address=CROWD)
    with sound(gateway):
        async with noted(client) as asked:
            await all_go_on(gateway, cursors, truth, at_once)
        others = asked["CONSUMER.CREATE"] - 1
        assert 0 < asked.total() <= MOST_REQUESTS + OF_A_CONSUMER * others, asked
    await api(client, "STREAM.DELETE.S")


async def test_who_asks_for_what_no_stream_holds_has_jetstream_asked_at_a_rate(
    client: Client, stream_gateway: Gateway
) -> None:
    """Others are answered meanwhile."""
    await make_stream(client, "S", ["s.>"])
    async with noted(client) as asked, Browser(stream_gateway.stream) as eager:
        begin = monotonic()
        for number in range(8):
            subjects = [f"none.{number}.{n}" for n in range(128)]
            await eager.send({"subjects": subjects, "history": "auto"})
            await eager.send({"action": "unsubscribe", "subjects": subjects, "id": number})
        async with Browser(stream_gateway.stream) as other:
            assert "history" in await other.ask({"subjects": ["s.a"], "history": "new"})
            assert asked["STREAM.NAMES"] < 8 * 128
        while (await eager.next()).get("id") != 7:
            pass
        passed = monotonic() - begin
    assert 8 * 128 <= asked["STREAM.NAMES"]
    assert asked.total() <= BURST + RATE * passed + MOST_REQUESTS
    await api(client, "STREAM.DELETE.S")
