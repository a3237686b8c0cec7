"""Server-sent events, lines of JSON, and the chunks of HTTP/1.1 that carry both.

The HTML standard, section 9.2; RFC 9112, section 7.1. Messages are unnamed events, all else has the
name `notice`.
"""

from __future__ import annotations

from collections.abc import Sequence

COMMENT = b":\n\n"
"""What is written where no event is to come: browsers pass over it."""
_ID = b"id: "


def message_event(line: bytes) -> bytes:
    """Return a message as an event."""
    return b"data: %b\n\n" % _data(line)


def notice_event(line: bytes) -> bytes:
    """Return a response or a notice as an event."""
    return b"event: notice\ndata: %b\n\n" % _data(line)


def with_id(event: bytes, cursor: bytes) -> bytes:
    """Return an event with the id that a browser comes back with, once it has had this event."""
    return b"%b%b\n%b" % (_ID, cursor, event)


def split_id(event: bytes) -> tuple[bytes, bytes]:
    """Return the id of an event, empty if it has none, and the event without it."""
    if not event.startswith(_ID):
        return b"", event
    head, _, rest = event.partition(b"\n")
    return head[len(_ID) :], rest


def retry(milliseconds: int) -> bytes:
    """Return what tells a browser when to come back after the end."""
    return b"retry: %d\n\n" % milliseconds


def _data(line: bytes) -> bytes:
    """Return `line` with each line break in it as the field of an event has it."""
    if b"\n" in line or b"\r" in line:
        # Only what a program's own code sends has any.
        return b"\ndata: ".join(line.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))
    return line


def json_line(line: bytes) -> bytes:
    """Return `line` with its end."""
    return b"%b\n" % line


def chunk(pieces: Sequence[bytes]) -> bytes:
    """Return `pieces` as one chunk. An empty one would end the response: it is left out."""
    data = b"".join(pieces)
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
