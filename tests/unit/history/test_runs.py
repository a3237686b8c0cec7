"""Messages of a stream that are read at once, against those that are read one by one."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.history.consumer import PushConsumer
from bridge.history.stored import Stored
from bridge.nats_link.parser import TapParser
from bridge.telemetry.counters import Counters
from tests.unit.nats_link.stream import TAPPED, Client, Tap, msg

SID = 7
HEADERS = b"NATS/1.0\r\na: b\r\n\r\n"
PAYLOADS = st.sampled_from([b"", b"1", b"x" * 300, b"\r\n", b"MSG s.a 7 $JS.ACK.S"]) | st.binary()


class World:
    """A consumer that was made, its owner, and a parser that it takes messages from."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.runs = 0
        self.skipped: list[Exception] = []
        self.client = Client()
        self.client.skip = self.skipped.append  # type: ignore[attr-defined]
        link = SimpleNamespace(subscribe_all=self._subscribe, skip=self.skipped.append)
        js: Any = SimpleNamespace(link=link, ask=self._ask, counters=Counters(), may_say=True)
        self.consumer = PushConsumer(js, "S", ["s.>"], self, "gateway")
        taps = {SID: self.consumer, TAPPED: Tap(self.told)}
        self.parser = TapParser(self.client, Counters(), taps)

    async def begin(self) -> World:
        await self.consumer.begin(1, 5.0)
        return self

    async def _subscribe(self, taps: Any) -> list[int]:
        return [SID]

    async def _ask(self, what: str, body: Any, seconds: float) -> dict[str, Any]:
        return {}

    def deliver(self, consumer: PushConsumer, messages: Sequence[Stored]) -> None:
        self.runs += 1
        self.told += messages
        if messages[-1].payload == b"bad":
            raise ValueError

    def reach(self, consumer: PushConsumer, sequence: int) -> None:
        self.told.append(("reached", sequence))

    def broken(self, consumer: PushConsumer) -> None:
        self.told.append("broken")

    def line(
        self,
        number: int,
        payload: bytes = b"1",
        headers: bytes = b"",
        subject: bytes = b"s.a",
        place: str = "",
    ) -> bytes:
        """Return what the server sends for a message, which has ten times its number."""
        reply = f"$JS.ACK.{place}S.{self.consumer.name}.1.{10 * number}.{number}.{number}.3"
        reply += ".random" if place else ""
        head, size = len(headers), len(headers) + len(payload)
        sizes = b"%d %d" % (head, size) if headers else b"%d" % size
        verb = b"HMSG" if headers else b"MSG"
        start = b"%b %b %d %b %b\r\n" % (verb, subject, SID, reply.encode(), sizes)
        return start + headers + payload + b"\r\n"


def stored(
    number: int, payload: bytes = b"1", headers: bytes = b"", subject: bytes = b"s.a"
) -> Stored:
    return Stored(10 * number, subject.decode(), payload, headers, b"%d" % number)


@given(
    contents=st.lists(
        st.tuples(
            PAYLOADS,
            st.sampled_from([b"", HEADERS]),
            st.sampled_from([b"s.a", b"s.a", "s.ü".encode()]),
            st.sampled_from(["", "", "hub.ACCOUNT."]),
            st.sampled_from(["", "", "", "plain", "heartbeat"]),
        ),
        max_size=30,
    ),
    cuts=st.lists(st.integers(1, 60) | st.just(5000), min_size=1, max_size=30),
)
async def test_messages_are_the_same_wherever_a_read_ends(
    contents: list[tuple[bytes, bytes, bytes, str, str]], cuts: list[int]
) -> None:
    world, stream, expected = await World().begin(), b"", list[Any]()
    for number, (payload, headers, subject, place, between) in enumerate(contents, 1):
        stream += world.line(number, payload, headers, subject, place)
        expected.append(stored(number, payload, headers, subject))
        if between == "plain":
            # Somebody follows the inbox of the consumer.
            stream += msg("s.a", TAPPED, b"x", f"$JS.ACK.S.{world.consumer.name}.1.1.1.1.0")
            expected.append((TAPPED, "s.a", b"x"))
        elif between == "heartbeat":
            told = f"Nats-Last-Consumer: {number}\r\nNats-Last-Stream: {10 * number}\r\n\r\n"
            head = b"NATS/1.0 100 Idle Heartbeat\r\n" + told.encode()
            stream += b"HMSG inbox %d %d %d\r\n%b\r\n" % (SID, len(head), len(head), head)
            expected.append(("reached", 10 * number))
    position = 0
    while position < len(stream):
        for cut in cuts:
            await world.parser.parse(stream[position : position + cut])
            position += cut
    assert (world.told, world.skipped) == (expected, [])
    assert all(type(each) is Stored for each in world.told if isinstance(each, Stored))


async def test_what_is_read_together_is_handed_on_together() -> None:
    world = await World().begin()
    numbers = range(1, 101)
    await world.parser.parse(
        b"".join(world.line(number, subject=b"s.%d" % number) for number in numbers)
    )
    assert world.told == [stored(number, subject=b"s.%d" % number) for number in numbers]
    assert world.runs == 1


@pytest.mark.parametrize("numbers", [[2, 3], [1, 3], [1, 1], [1, 2, 4]])
async def test_a_run_that_misses_one_is_asked_for_again(numbers: list[int]) -> None:
    world = await World().begin()
    await world.parser.parse(b"".join(map(world.line, numbers)))
    assert world.told == ["broken"]


async def test_a_message_whose_subject_is_no_text_is_passed_over() -> None:
    """A server stores it; asked for again, it would be the same for ever."""
    world = await World().begin()
    lines = [world.line(1), world.line(2, subject=b"s.\xff"), world.line(3), world.line(4)]
    await world.parser.parse(b"".join(lines))
    assert world.told == [stored(1), stored(3), stored(4)]
    assert len(world.skipped) == 1


async def test_a_run_that_somebody_fails_at_ends_nothing() -> None:
    world = await World().begin()
    await world.parser.parse(world.line(1, b"bad") + msg("s.a", TAPPED, b"x", ""))
    await world.parser.parse(world.line(2))
    assert world.told == [stored(1, b"bad"), (TAPPED, "s.a", b"x"), stored(2)]
    assert len(world.skipped) == 1
