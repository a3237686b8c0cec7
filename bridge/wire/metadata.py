"""What NATS says of a message beside its subject and payload, and how it stands on our wire.

NATS headers are lines like those of HTTP/1.1, and mean nothing to NATS: names keep their case, and
a name may come twice (ADR-4 of the NATS architecture documents).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from datetime import UTC, datetime

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
    pairs: bytes = b""
    """The same as JSON, once they are read."""
    time: float = 0.0
    """When the gateway received it, in seconds since 1970; 0 until that is noted."""

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


def receive(payloads: list[bytes]) -> tuple[list[bytes], int]:
    """Note when payloads came, and read their headers; also return how many of these are malformed.

    A malformed line is left out.
    """
    now, malformed = time.time(), 0
    received: list[bytes] = []
    for payload in payloads:
        made = payload if isinstance(payload, Annotated) else Annotated(payload)
        made.time = now
        if made.headers and not made.pairs:
            pairs, is_whole = read_headers(made.headers)
            made.pairs = _encode(pairs)
            malformed += not is_whole
        received.append(made)
    return received, malformed


def read_headers(raw: bytes) -> tuple[list[Pair], bool]:
    """Return the headers of a message in their order, and whether each could be read.

    A status in the first line comes as the headers `Status` and `Description`, as in nats.go.
    """
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


def keys(meta: Iterable[str], payload: bytes) -> bytes:
    """Return what is asked for of a message as keys, each behind a comma.

    What has not come with the message is left out. It always has a time.
    """
    found = b""
    for key in meta:
        if key == "time":
            found += b',"time":"%b"' % _written(getattr(payload, "time", 0.0) or time.time())
        elif not isinstance(payload, Annotated):
            continue
        elif key == "reply" and payload.reply:
            found += b',"reply":%b' % _encode(payload.reply.decode(errors="replace"))
        elif key == "headers" and payload.pairs:
            found += b',"headers":%b' % payload.pairs
    return found


_latest = (0, b"")


def _written(seconds: float) -> bytes:
    """Return a time as RFC 3339 has it, in UTC, to the millisecond."""
    global _latest
    milliseconds = int(seconds * 1000)
    if _latest[0] != milliseconds:
        text = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
        _latest = milliseconds, text.removesuffix("+00:00").encode() + b"Z"
    return _latest[1]
