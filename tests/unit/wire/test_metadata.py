"""What comes with a message, for any headers."""

from __future__ import annotations

import base64
import json
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.envelope import Envelope, Message, heads, lines_of
from bridge.wire.framing import BATCH, CALLS, FRAMES
from bridge.wire.metadata import KEYS, annotated, read_headers, receive, size_of, teller
from bridge.wire.wants import PLAIN, Wants, read_wants

NAMES = st.from_regex(rb"\A[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}\Z")
VALUES = st.binary(max_size=40).map(lambda value: value.translate(None, b"\r\n").lstrip(b" \t"))


def block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    return b"NATS/1.0\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in pairs) + b"\r\n"


def lines(meta: tuple[str, ...], received: list[bytes]) -> list[bytes]:
    envelope = Envelope("a")
    return lines_of(received, heads(repeat(envelope), teller(meta)(received)))


def told(payload: bytes, *meta: str) -> dict[str, Any]:
    received, malformed = receive([payload])
    assert malformed == 0
    line = lines(meta, received)[0]
    assert b"\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def bytes_of(pair: list[str]) -> tuple[bytes, bytes]:
    name, value, *encoding = pair
    if encoding:
        assert encoding == ["base64"]
        return name.encode(), base64.b64decode(value)
    return name.encode(), value.encode()


@given(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=20), st.binary(max_size=40))
def test_any_headers_arrive_as_they_are(pairs: list[tuple[bytes, bytes]], payload: bytes) -> None:
    message = told(annotated(payload, b"", block(pairs)), "headers")
    assert list(map(bytes_of, message["headers"])) == pairs


def test_a_thousand_headers_are_as_good_as_one() -> None:
    pairs = [(b"X-%d" % (number % 7), b"%d" % number) for number in range(1000)]
    message = told(annotated(b"1", b"", block(pairs)), "headers")
    assert list(map(bytes_of, message["headers"])) == pairs


def test_what_is_not_utf_8_is_base64_and_says_so() -> None:
    message = told(annotated(b"1", b"", block([(b"A", b"\xff"), (b"A", b"")])), "headers")
    assert message["headers"] == [["A", "/w==", "base64"], ["A", ""]]


def test_a_status_comes_as_headers() -> None:
    raw = b"NATS/1.0 503 No Responders\r\nA: b\r\n\r\n"
    pairs, is_whole = read_headers(raw)
    assert pairs == [("Status", "503"), ("Description", "No Responders"), ("A", "b")]
    assert is_whole
    assert read_headers(b"NATS/1.0 100\r\n\r\n")[0][0] == ("Status", "100")


@pytest.mark.parametrize("line", [b"no colon", b": no name", b"N\xc3\xa4me: value"])
def test_a_line_that_cannot_be_read_is_left_out_and_counted(line: bytes) -> None:
    raw = b"NATS/1.0\r\nA: b\r\n%b\r\nC: d\r\n\r\n" % line
    received, malformed = receive([annotated(b"1", b"", raw), annotated(b"2", b"", block([]))])
    assert malformed == 1
    first, second = map(json.loads, lines(("headers",), received))
    assert first["headers"] == [["A", "b"], ["C", "d"]]
    assert (first["data"], second["data"]) == (1, 2)


def test_headers_of_no_known_version_are_malformed() -> None:
    assert read_headers(b"HTTP/1.1 200\r\nA: b\r\n\r\n") == ([], False)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_as_headers_of_some_kind(raw: bytes) -> None:
    received, _ = receive([annotated(b"1", b"", raw)])
    assert json.loads(lines(KEYS, received)[0])["data"] == 1


def test_keys_stand_between_subject_and_data_in_one_order() -> None:
    payload = annotated(b'{"x":1}', b"_INBOX.1", block([(b"A", b',"data":')]))
    message = told(payload, "time", "reply", "headers")
    assert list(message) == ["subject", "time", "reply", "headers", "data"]
    line = lines(KEYS, receive([payload])[0])[0]
    assert line.partition(b',"data":')[2] == b'{"x":1}}'


def test_who_asks_for_what_is_not_there_gets_the_message_alone() -> None:
    assert told(b"1", "reply", "headers") == {"subject": "a", "data": 1}
    assert told(b"", "reply") == {"subject": "a", "data": "", "encoding": "text"}


def test_a_time_is_that_of_the_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1772366400.1239)
    received, _ = receive([b"1"])
    monkeypatch.setattr("time.time", lambda: 1772366500.0)
    assert json.loads(lines(("time",), received)[0])["time"] == "2026-03-01T12:00:00.123Z"


def test_what_came_with_it_tells_payloads_apart() -> None:
    one, two = annotated(b"1", b"", block([(b"A", b"1")])), annotated(b"1", b"r", b"")
    assert len({one, two, b"1"}) == 3
    assert one == annotated(b"1", b"", block([(b"A", b"1")]))
    assert hash(one) == hash(b"1")


def test_a_framing_with_metadata_is_always_the_same_one() -> None:
    assert FRAMES.with_meta(()) is FRAMES
    assert FRAMES.with_meta(("time",)) is FRAMES.with_meta(("time",))
    assert FRAMES.with_meta(("time",)) is not BATCH.with_meta(("time",))
    assert CALLS.with_meta(("time",)) is CALLS


def test_a_callback_can_ask_the_message() -> None:
    message = Message("a", annotated(b"1", b"r", block([(b"A", b"1")])))
    assert (message.reply, message.headers, message.data) == ("r", [("A", "1")], 1)
    assert (Message("a", b"1").reply, Message("a", b"1").headers) == ("", [])


def test_wants_are_read_in_one_order_or_refused_with_a_sentence() -> None:
    assert read_wants(None) is PLAIN
    assert read_wants([]) == PLAIN
    assert read_wants(["headers", "time", "time"]) == Wants(("time", "headers"))
    for bad in ("time", ["times"], [1], [["time"]], {}, 5, True):
        assert read_wants(bad) == "meta has to be a list of some of 'time', 'reply', 'headers'."


def test_what_comes_with_a_payload_counts_in_its_size() -> None:
    assert size_of(b"1") == 1
    assert size_of(annotated(b"1", b"reply", b"x" * 1000)) > 1000
