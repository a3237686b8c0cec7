"""Server-sent events and lines of JSON, as they are written."""

from __future__ import annotations

import json

import pytest

from bridge.wire.envelope import Envelope, Message
from bridge.wire.event_stream import split_id, with_id
from bridge.wire.framing import (
    EVENTS,
    EVENTS_UNCHUNKED,
    JSON_LINES,
    JSON_LINES_UNCHUNKED,
    Framing,
)

PAYLOADS = [b"1", b'{"a":\n1}', b"two\r\nlines", b"\xff", b""]


def fields(event: bytes) -> list[tuple[str, str]]:
    """Read one event as the HTML standard says."""
    assert event.endswith(b"\n\n")
    lines = event.decode().removesuffix("\n\n").splitlines()
    return [(name, value) for name, _, value in (line.partition(": ") for line in lines)]


@pytest.mark.parametrize("framing", [EVENTS, EVENTS_UNCHUNKED])
def test_a_message_is_an_unnamed_event_and_a_notice_a_named_one(framing: Framing) -> None:
    pieces = framing.encode(Envelope("a"), PAYLOADS)
    for piece, line in zip(pieces, Envelope("a").lines(PAYLOADS), strict=True):
        assert fields(piece) == [("data", line.decode())]
    assert fields(framing.wrap(b"{}")) == [("data", "{}")]
    assert fields(framing.notice(b"{}")) == [("event", "notice"), ("data", "{}")]
    assert fields(framing.piece(Message("a", b"1"))) == [("data", '{"subject":"a","data":1}')]


def test_line_breaks_of_a_programs_own_text_are_lines_of_the_same_event() -> None:
    text = b"event: notice\r\n\rdata: x\n\n"
    assert fields(EVENTS.wrap(text)) == [
        ("data", "event: notice"),
        ("data", ""),
        ("data", "data: x"),
        ("data", ""),
        ("data", ""),
    ]


@pytest.mark.parametrize("framing", [JSON_LINES, JSON_LINES_UNCHUNKED])
def test_each_message_is_a_line(framing: Framing) -> None:
    pieces = framing.encode(Envelope("a"), PAYLOADS)
    assert all(piece.count(b"\n") == 1 and piece.endswith(b"\n") for piece in pieces)
    assert [json.loads(piece)["data"] for piece in pieces] == [
        1,
        {"a": 1},
        "two\r\nlines",
        "/w==",
        "",
    ]
    assert framing.notice(b"{}") == framing.wrap(b"{}") == b"{}\n"


@pytest.mark.parametrize("framing", [EVENTS, JSON_LINES])
def test_what_is_written_together_is_one_chunk(framing: Framing) -> None:
    pieces = [b"x" * 10, b"y" * 7]
    assert framing.join(pieces) == b"11\r\n" + b"".join(pieces) + b"\r\n"
    assert framing.join([b""]) == b"", "an empty chunk would be the last one"


@pytest.mark.parametrize("framing", [EVENTS_UNCHUNKED, JSON_LINES_UNCHUNKED])
def test_for_http_1_0_there_are_no_chunks(framing: Framing) -> None:
    assert framing.join([b"a", b"b"]) == b"ab"


@pytest.mark.parametrize(
    "event", [EVENTS.wrap(b"1"), EVENTS.notice(b"id: 2"), b"data: a\ndata: b\n\n"]
)
def test_an_id_is_put_before_an_event_and_found_there(event: bytes) -> None:
    marked = with_id(event, b"A.x.1")
    assert fields(marked) == [("id", "A.x.1"), *fields(event)]
    assert split_id(marked) == (b"A.x.1", event)
    assert split_id(event) == (b"", event)
