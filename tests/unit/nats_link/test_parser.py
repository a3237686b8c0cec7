"""The short way through the parser, against nats-py's own."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nats.protocol.parser import Parser

from bridge.nats_link.parser import TapParser
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


def tapped(client: Client) -> TapParser:
    parser = TapParser(client, Counters())

    def lane(subject: str) -> Any:
        return lambda run: client.heard.extend((TAPPED, subject, each) for each in run)

    parser.taps[TAPPED] = lane
    return parser


@given(st.lists(ITEMS, max_size=12), st.lists(st.integers(1, 40), min_size=1, max_size=30))
async def test_any_stream_cut_anywhere_is_heard_as_nats_py_hears_it(
    items: list[bytes], cuts: list[int]
) -> None:
    stream = b"".join(items)
    whole, cut = Client(), Client()
    await Parser(whole).parse(stream)
    parser = tapped(cut)
    position = turn = 0
    while position < len(stream):
        size = cuts[turn % len(cuts)]
        await parser.parse(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert cut.heard == whole.heard


async def test_a_large_message_is_collected_by_nats_py_and_the_short_way_goes_on() -> None:
    client = Client()
    parser = tapped(client)
    payload = b"x" * 300000
    stream = msg("a", 1, payload, "") + msg("a", 1, b"after", "")
    for position in range(0, len(stream), 32768):
        await parser.parse(stream[position : position + 32768])
    assert client.heard == [(1, "a", payload), (1, "a", b"after")]


async def test_what_follows_an_error_that_ends_the_connection_is_not_kept() -> None:
    client = Client()
    parser = tapped(client)

    async def reconnects(text: str) -> None:
        parser.reset()

    client._process_err = reconnects  # type: ignore[method-assign]
    await parser.parse(b"-ERR 'stale connection'\r\nMSG a 1 5\r\nhe")
    await parser.parse(b"PING\r\n")
    assert client.heard == ["ping"]


async def test_lanes_are_asked_for_anew_once_they_are_forgotten() -> None:
    client = Client()
    parser = TapParser(client, Counters())
    asked: list[str] = []

    def lane(subject: str) -> Any:
        asked.append(subject)
        return lambda payload: None

    parser.taps[1] = lane
    for _ in range(3):
        await parser.parse(msg("a", 1, b"x", "") * 2)
    assert asked == ["a"]
    parser.forget()
    await parser.parse(msg("a", 1, b"x", ""))
    assert asked == ["a", "a"]


async def test_lines_remembered_are_bounded() -> None:
    client = Client()
    parser = tapped(client)
    for number in range(10100):
        await parser.parse(msg(f"s.{number}", 1, b"", ""))
    assert len(client.heard) == 10100
    assert len(parser._lines) <= 10000
