"""A stored message as it comes from a stream, by a consumer or by a direct get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.nats_link.items import Message

_ENTRY_BYTES = 200
"""What a message costs beside its bytes, about."""
_FIRST_OF_OURS = b"\r\nNats-Stream: "


class Stored(NamedTuple):
    """A message and its place in the stream."""

    sequence: int
    subject: str
    payload: bytes
    headers: bytes
    """As they were published; empty if there are none."""
    stored: bytes
    """When, as it stands in the answer: nanoseconds since 1970, or RFC 3339."""

    @property
    def size(self) -> int:
        """The bytes it takes in memory, about."""
        return len(self.payload) + len(self.headers) + len(self.subject) + _ENTRY_BYTES

    @property
    def operation(self) -> str | None:
        """What was done to a key instead of storing a value: `DEL`, `PURGE`, `MaxAge`, say."""
        if b"KV-Operation" in self.headers or b"Nats-Marker-Reason" in self.headers:
            told = fields(self.headers)
            done = told.get(b"Nats-Marker-Reason") or told.get(b"KV-Operation")
            if done not in (None, b"PUT"):
                return done.decode(errors="replace")
        return None

    @property
    def time(self) -> str:
        """When it was stored, as RFC 3339 with nanoseconds."""
        if not self.stored.isdigit():
            return self.stored.decode()
        seconds, nanoseconds = divmod(int(self.stored), 10**9)
        day = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{day}.{nanoseconds:09}Z"


def size_of(messages: Sequence[Stored]) -> int:
    """Return the bytes that messages take in memory, about."""
    content = [len(each.payload) + len(each.headers) + len(each.subject) for each in messages]
    return sum(content) + _ENTRY_BYTES * len(messages)


class Delivered(NamedTuple):
    """What a consumer has sent: a stored message, and where it is among what it has to send."""

    message: Stored
    number: int
    """How many it has sent by then."""
    pending: int
    """How many it has yet to send."""


def read_delivered(message: Message) -> Delivered | None:
    """Return what a push or pull consumer has sent; None for its own words."""
    words = message.reply.split(b".")
    if words[:2] != [b"$JS", b"ACK"] or len(words) < 9:
        return None
    # Servers of today send 9 words; those with a domain and an account in front are announced.
    at = 5 if len(words) == 9 else 7
    stored = Stored(
        int(words[at]),
        message.subject.decode(),
        message.payload,
        message.headers or b"",
        words[at + 2],
    )
    return Delivered(stored, int(words[at + 1]), int(words[at + 3]))


def read_direct(message: Message) -> Stored | None:
    """Return the stored message that a direct get has sent; None for a status.

    The server puts its headers behind those of the publisher, who may have used the same names.
    """
    headers = message.headers or b""
    begin = headers.rfind(_FIRST_OF_OURS)
    if begin < 0:
        return None
    ours = fields(headers[begin:])
    published = headers[:begin]
    return Stored(
        int(ours[b"Nats-Sequence"]),
        ours[b"Nats-Subject"].decode(),
        message.payload,
        published + b"\r\n\r\n" if published != b"NATS/1.0" else b"",
        ours[b"Nats-Time-Stamp"],
    )


def status(message: Message) -> int:
    """Return the status in the first line of the headers; 0 if there is none."""
    words = (message.headers or b"").partition(b"\r\n")[0].split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def fields(headers: bytes) -> dict[bytes, bytes]:
    """Return headers by their names; of several with one name the last."""
    pairs = (line.partition(b":") for line in headers.split(b"\r\n") if b":" in line)
    return {name: value.strip() for name, _, value in pairs}
