"""The short way through the parser, against nats-py's own."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import DEFAULT_BUFFER_SIZE
from nats.protocol.parser import Parser

from bridge.nats_link import parser
from bridge.nats_link.parser import TapParser
from bridge.nats_link.tapped import Lane
from bridge.telemetry.counters import Counters

TAPPED = 1
SUBJECTS = st.sampled_from(["a", "b.c", "ü"])
PAYLOADS = st.binary(max_size=60) | st.sampled_from([b"MSG a 1 3\r\nabc\r\n", b"\r\n", b"x" * 99])


class Client:
    """Notes what a parser hands on."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        self.heard.append((sid, subject.decode(), bytes(data)))

    async def _process_err(self, text: str) -> None:
        self.heard.append(text)

    async def _process_ping(self) -> None:
        self.heard.append("ping")

    async def _process_pong(self) -> None:
        self.heard.append("pong")

    def _process_info(self, info: Any) -> asyncio.Future[None]:
        # nats-py 2.6.0 does not await it, later ones do.
        self.heard.append(info)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def msg(subject: str, sid: int, payload: bytes, reply: str) -> bytes:
    words = [subject, str(sid), *([reply] if reply else []), str(len(payload))]
    return f"MSG {' '.join(words)}\r\n".encode() + payload + b"\r\n"


def hmsg(subject: str, sid: int, payload: bytes) -> bytes:
    headers = b"NATS/1.0\r\na: b\r\n\r\n"
    size = len(headers) + len(payload)
    line = f"HMSG {subject} {sid} {len(headers)} {size}\r\n".encode()
    return line + headers + payload + b"\r\n"


ITEMS = st.one_of(
    st.builds(msg, SUBJECTS, st.sampled_from([TAPPED, 2]), PAYLOADS, st.sampled_from(["", "r.1"])),
    st.builds(hmsg, SUBJECTS, st.sampled_from([TAPPED, 2]), PAYLOADS),
    st.builds(
        lambda message, count: message * count,
        st.builds(msg, SUBJECTS, st.just(TAPPED), PAYLOADS, st.just("")),
        st.integers(2, 40),
    ),
    st.sampled_from([b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'no'\r\n", b'INFO {"a":1}\r\n']),
)


class Tap:
    """Hands what it gets to `heard`; notes which lanes it was asked for."""

    pattern = ">"

    def __init__(self, heard: list[Any]) -> None:
        self.asked: list[str] = []
        self.heard = heard

    def lane(self, subject: str) -> Lane:
        self.asked.append(subject)
        return lambda run: self.heard.extend((TAPPED, subject, each) for each in run)

    def refuse(self, code: str) -> None:
        self.heard.append(code)


def tapped(client: Client) -> TapParser:
    return TapParser(client, Counters(), {TAPPED: Tap(client.heard)})


@pytest.mark.parametrize("stint", [parser.STINT_SECONDS, -1], ids=["in time", "always late"])
@given(
    items=st.lists(ITEMS, max_size=12),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=30),
)
async def test_any_stream_cut_anywhere_is_heard_as_nats_py_hears_it(
    stint: float, items: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(items)
    whole, cut = Client(), Client()
    await Parser(whole).parse(stream)
    reader = tapped(cut)
    position = turn = 0
    with patch.object(parser, "STINT_SECONDS", stint), patch.object(parser, "BYTES_A_LOOK", 0):
        while position < len(stream):
            size = cuts[turn % len(cuts)]
            await reader.parse(stream[position : position + size])
            position, turn = position + size, turn + 1
    assert cut.heard == whole.heard


async def test_a_large_message_is_collected_by_nats_py_and_the_short_way_goes_on() -> None:
    client = Client()
    reader = tapped(client)
    payload = b"x" * 300000
    stream = msg("a", 1, payload, "") + msg("a", 1, b"after", "")
    for position in range(0, len(stream), 32768):
        await reader.parse(stream[position : position + 32768])
    assert client.heard == [(1, "a", payload), (1, "a", b"after")]


async def test_what_follows_an_error_that_ends_the_connection_is_not_kept() -> None:
    client = Client()
    reader = tapped(client)

    async def reconnects(text: str) -> None:
        reader.reset()

    client._process_err = reconnects  # type: ignore[method-assign]
    await reader.parse(b"-ERR 'stale connection'\r\nMSG a 1 5\r\nhe")
    await reader.parse(b"PING\r\n")
    assert client.heard == ["ping"]


async def test_a_lane_is_asked_for_once() -> None:
    client = Client()
    tap = Tap(client.heard)
    taps = {TAPPED: tap}
    reader = TapParser(client, Counters(), taps)
    for _ in range(3):
        await reader.parse(msg("a", 1, b"x", "") * 2)
    assert tap.asked == ["a"]
    taps[2] = Tap([])
    await reader.parse(msg("b", 2, b"x", "") + msg("a", 1, b"x", ""))
    del taps[2]
    await reader.parse(msg("a", 1, b"x", ""))
    assert tap.asked == ["a"]


async def test_a_stray_message_of_a_subscription_that_ended_harms_nothing() -> None:
    client = Client()
    taps = {TAPPED: Tap(client.heard)}
    reader = TapParser(client, Counters(), taps)
    await reader.parse(msg("a", 1, b"x", ""))
    taps.clear()
    await reader.parse(msg("a", 1, b"y", "") + hmsg("b", 1, b"z") + b"PING\r\n")
    assert client.heard == [(1, "a", b"x"), (1, "a", b"y"), (1, "b", b"z"), "ping"]


@pytest.mark.parametrize("size", [4, 4000])
async def test_lines_remembered_are_bounded_and_the_oldest_is_forgotten_first(size: int) -> None:
    client = Client()
    tap = Tap(client.heard)
    reader = TapParser(client, Counters(), {TAPPED: tap})
    for number in range(10100):
        await reader.parse(msg(f"s.{number:0{size}}", 1, b"", ""))
    assert len(client.heard) == 10100
    known = reader._lines.known
    assert len(known) <= 10000
    assert 8000000 < sum(map(len, known)) <= 8388608 or len(known) == 10000
    latest = [f"s.{number:0{size}}" for number in range(10100 - len(known), 10100)]
    assert [line.split()[1].decode() for line in known] == latest


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
    assert max(turns) < 0.025, "a look at the clock every 1,024 bytes, and 5 ms"


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
    assert turns == [0.006]


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
