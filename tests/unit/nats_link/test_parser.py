"""The short way through the parser, against nats-py's own."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.protocol.parser import Parser

from bridge.nats_link import parser
from bridge.nats_link.items import Message
from bridge.nats_link.parser import TapParser
from bridge.nats_link.whole_tap import WholeTap
from bridge.telemetry.counters import Counters
from tests.unit.nats_link.stream import TAPPED, Client, Tap, hmsg, msg

SUBJECTS = st.sampled_from(["a", "b.c", "ü"])
PAYLOADS = st.binary(max_size=60) | st.sampled_from([b"MSG a 1 3\r\nabc\r\n", b"\r\n", b"x" * 99])
# Also those that look like other words of their line.
REPLIES = st.sampled_from(["", "r.1", "r.2", "r.33", "a", "1", "2", "21"])
VALUES = st.sampled_from([b"b", b"c", b"", b"\xff", b"x" * 20])

ITEMS = st.one_of(
    st.builds(msg, SUBJECTS, st.sampled_from([TAPPED, 2]), PAYLOADS, REPLIES),
    st.builds(hmsg, SUBJECTS, st.sampled_from([TAPPED, 2]), PAYLOADS, REPLIES, VALUES),
    st.builds(
        lambda messages: b"".join(messages),
        st.lists(st.builds(msg, st.just("a"), st.just(TAPPED), st.just(b"xy"), REPLIES)),
    ),
    st.builds(
        lambda messages: b"".join(messages),
        st.lists(
            st.builds(hmsg, st.just("a"), st.just(TAPPED), st.just(b"xy"), REPLIES, VALUES),
        ),
    ),
    st.builds(
        lambda message, count: message * count,
        st.builds(msg, SUBJECTS, st.just(TAPPED), PAYLOADS, st.just("")),
        st.integers(2, 40),
    ),
    st.sampled_from([b"PING\r\n", b"PONG\r\n", b"+OK\r\n", b"-ERR 'no'\r\n", b'INFO {"a":1}\r\n']),
)


def tapped(client: Client, *, wants_meta: bool = False) -> TapParser:
    tap = Tap(client.heard)
    tap.wants_meta = wants_meta
    return TapParser(client, Counters(), {TAPPED: tap})


@pytest.mark.parametrize("stint", [parser.STINT_SECONDS, -1], ids=["in time", "always late"])
@given(
    items=st.lists(ITEMS, max_size=12),
    cuts=st.lists(st.integers(1, 40) | st.just(5000), min_size=1, max_size=30),
    wants_meta=st.booleans(),
)
async def test_any_stream_cut_anywhere_is_heard_as_nats_py_hears_it(
    stint: float, items: list[bytes], cuts: list[int], *, wants_meta: bool
) -> None:
    stream = b"".join(items)
    whole, cut = Client(with_meta=wants_meta), Client(with_meta=wants_meta)
    await Parser(whole).parse(stream)
    reader = tapped(cut, wants_meta=wants_meta)
    position = turn = 0
    with patch.object(parser, "STINT_SECONDS", stint), patch.object(parser, "BYTES_A_LOOK", 0):
        while position < len(stream):
            size = cuts[turn % len(cuts)]
            await reader.parse(stream[position : position + size])
            position, turn = position + size, turn + 1
    assert cut.heard == whole.heard


async def test_a_reply_subject_that_looks_like_another_word_is_none_but_itself() -> None:
    client = Client(with_meta=True)
    words = ["1", "2", "a", "MSG"]
    stream = b"".join(
        msg(subject, TAPPED, payload, reply)
        for payload in (b"x", b"xy")
        for reply in words
        for subject in [*words, *words]
    )
    whole = Client(with_meta=True)
    await Parser(whole).parse(stream)
    await tapped(client, wants_meta=True).parse(stream)
    assert client.heard == whole.heard


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


class Whole(WholeTap):
    """Notes each message; one with the payload `bad` cannot be read."""

    pattern = ">"

    def __init__(self) -> None:
        self.heard: list[Message] = []

    def take(self, message: Message) -> None:
        if message.payload == b"bad":
            raise ValueError(message.payload)
        self.heard.append(message)

    def refuse(self, code: str) -> None:
        raise AssertionError("nothing is refused here")


async def test_a_whole_tap_takes_each_message_with_all_there_is_to_it() -> None:
    client, whole = Client(), Whole()
    reader = TapParser(client, Counters(), {TAPPED: Tap(client.heard), 2: whole})
    stream = (
        msg("a", 2, b"1", "")
        + msg("a", 2, b"2", "")
        + msg("a", TAPPED, b"other", "")
        + msg("a", 2, b"3", "r.1")
        + hmsg("b", 2, b"4")
    )
    for position in range(0, len(stream), 7):
        await reader.parse(stream[position : position + 7])
    assert whole.heard == [
        Message(2, b"a", b"", b"1", None),
        Message(2, b"a", b"", b"2", None),
        Message(2, b"a", b"r.1", b"3", None),
        Message(2, b"b", b"", b"4", b"NATS/1.0\r\na: b\r\n\r\n"),
    ]
    assert client.heard == [(TAPPED, "a", b"other")]


async def test_what_a_whole_tap_cannot_read_is_skipped() -> None:
    client, whole = Client(), Whole()
    skipped: list[Exception] = []
    client.skip = skipped.append  # type: ignore[attr-defined]
    reader = TapParser(client, Counters(), {2: whole})
    await reader.parse(msg("a", 2, b"bad", "") + msg("a", 2, b"good", ""))
    assert [each.payload for each in whole.heard] == [b"good"]
    assert len(skipped) == 1
