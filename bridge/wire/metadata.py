"""What NATS says of a message beside its subject and payload, and how it stands on our wire.

NATS headers are lines like those of HTTP/1.1, and mean nothing to NATS: names keep their case, and
a name may come twice (ADR-4 of the NATS architecture documents).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

import msgspec

_encode = msgspec.json.encode

KEYS = ("time", "reply", "headers")
"""What can be asked for, in the order in which it stands in a message."""
_VERSION = b"NATS/1.0"

Pair = tuple[str, str] | tuple[str, str, str]
"""Name and value of a header; a value that is not UTF-8 is base64, and a third item says so."""


class Annotated(bytes):
    """A payload that knows what came with it. Equal to another one that came with the same.

    It is made only where somebody asks for it: most payloads are plain `bytes`.
    """

    reply: bytes = b""
    headers: bytes = b""
    """As they came: a status line, and a line for each header."""
    time_key: bytes = b""
    reply_key: bytes = b""
    headers_key: bytes = b""
    """What is told of each, behind a comma, once it is received: `,"time":"…"`."""

    def __eq__(self, other: object) -> bool:
        return (
            bytes.__eq__(self, other) is True
            and self.reply == getattr(other, "reply", b"")
            and self.headers == getattr(other, "headers", b"")
        )

    __hash__ = bytes.__hash__


def annotated(payload: bytes, reply: bytes, headers: bytes) -> Annotated:
    """Return a payload with what came with it."""
    made = Annotated(payload)
    if reply:
        made.reply = reply
    if headers:
        made.headers = headers
    return made


def size_of(payload: bytes) -> int:
    """Return the bytes of a payload and what came with it; headers are held as JSON, too."""
    if isinstance(payload, Annotated):
        return len(payload) + len(payload.reply) + 2 * len(payload.headers)
    return len(payload)


def receive(payloads: list[bytes]) -> tuple[list[bytes], int]:
    """Note when payloads came, and read their headers; also return how many of these are malformed.

    A malformed line is left out.
    """
    now, malformed = b',"time":"%b"' % _written(time.time()), 0
    received: list[bytes] = []
    for payload in payloads:
        made = payload if type(payload) is Annotated else Annotated(payload)
        made.time_key = now
        if made.headers:
            pairs, is_whole = read_headers(made.headers)
            made.headers_key = b',"headers":%b' % _encode(pairs)
            malformed += not is_whole
        if made.reply:
            made.reply_key = b',"reply":%b' % _encode(made.reply.decode(errors="replace"))
        received.append(made)
    return received, malformed


def teller(meta: tuple[str, ...]) -> Callable[[list[bytes]], Iterable[bytes]]:
    """Return what makes the keys for what is asked for of payloads, each behind a comma.

    What has not come with a message is left out. It always has a time.
    """
    get = attrgetter(*(f"{key}_key" for key in meta))

    def told(received: list[bytes]) -> Iterable[bytes]:
        found: Iterable[Any] = map(get, received)
        return found if len(meta) == 1 else map(b"".join, found)

    return told


def read_headers(raw: bytes) -> tuple[list[Pair], bool]:
    """Return the headers of a message in their order, and whether each could be read.

    A status in the first line comes as the headers `Status` and `Description`, as in nats.go.
    """
    text = raw.decode("latin-1")
    if not (text.isascii() and text.startswith("NATS/1.0\r\n") and text.endswith("\r\n\r\n")):
        return _read_odd_headers(raw)
    pairs: list[Pair] = []
    for line in text[10:-4].split("\r\n"):
        name, colon, value = line.partition(":")
        if not name or not colon:
            return _read_odd_headers(raw)
        pairs.append((name, value.lstrip(" \t")))
    return pairs, True


def _read_odd_headers(raw: bytes) -> tuple[list[Pair], bool]:
    first, *lines = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
    if not first.startswith(_VERSION):
        return [], False
    pairs: list[Pair] = []
    if len(first) > len(_VERSION):
        status, _, description = first[len(_VERSION) :].strip().partition(b" ")
        pairs += [_pair(b"Status", status), _pair(b"Description", description.strip())]
    is_whole = True
    for line in lines:
        name, colon, value = line.partition(b":")
        if colon and name and name.isascii():
            pairs.append(_pair(name, value.lstrip(b" \t")))
        else:
            is_whole = False
    return pairs, is_whole


def _pair(name: bytes, value: bytes) -> Pair:
    try:
        return name.decode(), value.decode()
    except UnicodeDecodeError:
        return name.decode(), base64.b64encode(value).decode(), "base64"


def _written(seconds: float) -> bytes:
    """Return a time as RFC 3339 has it, in UTC, to the millisecond."""
    text = datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC).isoformat(
        timespec="milliseconds"
    )
    return text.removesuffix("+00:00").encode() + b"Z"
