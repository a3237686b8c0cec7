"""When pending messages are written."""

from __future__ import annotations

import asyncio

from bridge.fanout import flusher
from bridge.fanout.flusher import Flusher
from bridge.telemetry.counters import Counters


class Pending:
    """Notes when it was flushed."""

    def __init__(self) -> None:
        self.flushed: list[float] = []

    def flush(self) -> None:
        self.flushed.append(asyncio.get_running_loop().time())


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_message_that_comes_alone_is_written_within_a_few_turns() -> None:
    pending = Pending()
    Flusher(Counters(received=1)).add(pending)
    await turns(flusher.QUIET_TURNS + 2)
    assert len(pending.flushed) == 1


async def test_messages_that_keep_coming_are_written_together_but_not_late() -> None:
    counters, pending = Counters(), Pending()
    writer = Flusher(counters)
    started = asyncio.get_running_loop().time()
    writer.add(pending)
    while not pending.flushed:
        counters.received += 1
        await asyncio.sleep(0)
        assert counters.received < 1_000_000
    assert counters.received > 10
    assert pending.flushed[0] - started >= flusher.MAX_DELAY_SECONDS


async def test_two_writes_are_an_interval_apart() -> None:
    pending = Pending()
    writer = Flusher(Counters())
    for _ in range(5):
        writer.add(pending)
        written = len(pending.flushed)
        while len(pending.flushed) == written:
            await asyncio.sleep(0)
    apart = [b - a for a, b in zip(pending.flushed, pending.flushed[1:], strict=False)]
    assert min(apart) >= flusher.WRITE_INTERVAL_SECONDS * 0.99


async def test_flush_writes_at_once_and_only_once() -> None:
    pending = Pending()
    writer = Flusher(Counters())
    writer.add(pending)
    writer.flush()
    await turns(flusher.QUIET_TURNS + 2)
    assert len(pending.flushed) == 1


async def test_each_write_counts_how_long_its_oldest_message_took() -> None:
    counters, pending = Counters(), Pending()
    writer = Flusher(counters)
    writer.add(pending)
    since = asyncio.get_running_loop().time()
    writer.add(Pending())
    while not pending.flushed:
        await asyncio.sleep(0)
    await turns(1)
    assert counters.fan_out.buckets()[-1] == ("+Inf", 1)
    assert 0 < counters.fan_out.sum <= asyncio.get_running_loop().time() - since + 0.001
