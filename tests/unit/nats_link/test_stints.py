"""Reading from NATS lets everybody else have a turn, and loses nothing by it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace

import pytest
from nats.aio.client import DEFAULT_BUFFER_SIZE

from bridge.nats_link.parser import TapParser
from bridge.nats_link.tapped import Lane
from bridge.telemetry.counters import Counters
from tests.unit.nats_link.stream import Client, Tap, hmsg, msg


class SlowTap(Tap):
    """One whose lanes take a millisecond for each run, by a clock of its own."""

    now = 0.0

    def lane(self, subject: str) -> Lane:
        lane = super().lane(subject)

        def slow(run: list[bytes]) -> None:
            self.now += 0.001
            lane(run)

        return slow

    @classmethod
    def with_clock(cls, monkeypatch: pytest.MonkeyPatch) -> SlowTap:
        tap = cls([])
        monkeypatch.setattr("bridge.nats_link.parser.time", SimpleNamespace(monotonic=tap.clock))
        return tap

    def clock(self) -> float:
        return self.now


MANY = [(1, f"many.{number}", b"x" * 40) for number in range(400)]
"""More than one turn can take; with one that has headers, and the beginning of another one."""
PIECES = [
    b"".join(msg(subject, 1, payload, "") for _, subject, payload in MANY[:300]),
    hmsg("many.300", 1, b"x" * 40),
    b"PING\r\n",
    b"".join(msg(subject, 1, payload, "") for _, subject, payload in MANY[301:]),
    b"MSG many.400 1 5\r\nhe",
]


async def test_everybody_else_has_a_turn_while_slow_lanes_take_what_was_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tap = SlowTap.with_clock(monkeypatch)
    client = Client()
    client.heard = tap.heard
    reader = TapParser(client, Counters(), {1: tap})
    seen = []

    async def others() -> None:
        while True:
            seen.append(tap.now)
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await reader.parse(b"".join(PIECES))
    task.cancel()
    await reader.parse(b"llo\r\n")
    assert client.heard == [*MANY[:301], "ping", *MANY[301:], (1, "many.400", b"hello")]
    turns = [after - before for before, after in pairwise(seen)]
    assert len(turns) > 20
    assert max(turns) < 0.025, "a look at the clock every 1,024 bytes, and 2 ms"


async def test_full_reads_one_after_the_other_are_one_stint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """nats-py goes on reading what asyncio has, with no turn for others in between."""
    tap = SlowTap.with_clock(monkeypatch)
    reader = TapParser(Client(), Counters(), {1: tap})
    turns = []
    asyncio.get_running_loop().call_soon(lambda: turns.append(tap.now))
    for number in range(8):
        await reader.parse(msg(f"s.{number}", 1, b"x" * (DEFAULT_BUFFER_SIZE - 19), ""))
    assert turns == [0.003]


@pytest.mark.parametrize("how", ["reset", "cancelled"])
async def test_what_was_read_is_handed_on_also_if_the_connection_is_lost_meanwhile(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tap = SlowTap.with_clock(monkeypatch)
    client = Client()
    client.heard = tap.heard
    reader = TapParser(client, Counters(), {1: tap})
    reading = asyncio.create_task(reader.parse(b"".join(PIECES)))
    await asyncio.sleep(0)
    assert 0 < len(client.heard) < 100
    reader.reset()
    if how == "cancelled":
        reading.cancel()
    await asyncio.wait({reading})
    assert client.heard == MANY, "and not the PING"
    await reader.parse(b"PONG\r\n")
    assert client.heard[-1] == "pong"
