"""How messages, responses and notices are written to one kind of client."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import repeat
from typing import Any

from bridge.wire.envelope import Envelope, Message, heads, lines_of, records_of
from bridge.wire.event_stream import chunk, json_line, message_event, notice_event, with_id
from bridge.wire.frames import RECORD_SEPARATOR, batch_frames, text_frame
from bridge.wire.metadata import receive, teller


@dataclass(frozen=True, slots=True, eq=False)
class Framing:
    """One way to write. A *piece* is one message, response or notice.

    That of a message is made once for all who are written to like this. There is one object for
    each way, so that they can be compared by identity.
    """

    encode: Callable[[Envelope, list[bytes]], list[Any]]
    """Turns payloads of one subject into pieces, one for each."""
    join: Callable[..., bytes]
    """Returns the bytes to write for pieces, in their order.

    In framings with shared frames it also takes `frame`, which makes a frame of a text.
    """
    notice: Callable[[bytes], bytes]
    """Turns a response or a notice into a piece."""
    wrap: Callable[[bytes], bytes]
    """Turns a line that is a message into a piece."""
    keeps_breaks: bool = False
    """Whether the line breaks of a JSON payload may stand in a piece."""
    alone: Callable[[list[bytes]], bytes] | None = None
    """Does what `join` does, for what one connection alone gets; None if `join` may do it.

    Costly work is done once for many, or not at all."""
    mark: Callable[[bytes, bytes], bytes] | None = None
    """Puts a cursor into a piece: whoever has it, has all up to there. None if pieces have none."""

    @property
    def join_alone(self) -> Callable[[list[bytes]], bytes]:
        """What joins what one connection alone gets."""
        return self.alone or self.join

    def piece(self, message: Message) -> bytes:
        """Return one message as a piece; remembered in the message."""
        piece = message.pieces.get(self)
        if piece is None:
            framing, payloads = self.with_meta(message.meta), [message.payload]
            if message.meta and not getattr(message.payload, "time_key", b""):
                payloads, _ = receive(payloads)  # it came where nobody asked for more
            made = framing.encode(Envelope(message.subject), payloads)
            piece = message.pieces[self] = made[0]
        return piece

    def tell(
        self, envelopes: Iterable[Envelope], payloads: list[bytes], keys: Iterable[bytes]
    ) -> list[bytes]:
        """Turn payloads into pieces, each with further keys before the payload.

        `envelopes`: of the subject of each. `keys`: those of each, behind a comma: `,"seq":1`.
        """
        written = records_of if self.keeps_breaks else lines_of
        return list(map(self.wrap, written(payloads, heads(envelopes, keys))))

    def with_meta(self, meta: tuple[str, ...]) -> Framing:
        """Return the same way to write with more of each message: see `metadata.KEYS`."""
        return _with_meta(self, meta) if meta and self is not CALLS else self


@cache
def _with_meta(framing: Framing, meta: tuple[str, ...]) -> Framing:
    told = teller(meta)

    def encode(envelope: Envelope, payloads: list[bytes]) -> list[bytes]:
        return framing.tell(repeat(envelope), payloads, told(payloads))

    return replace(framing, encode=encode)


def _messages(envelope: Envelope, payloads: list[bytes]) -> list[Message]:
    return [Message(envelope.subject, payload) for payload in payloads]


def _events(envelope: Envelope, payloads: list[bytes]) -> list[bytes]:
    return [b"data: %b\n\n" % line for line in envelope.lines(payloads)]


def _json_lines(envelope: Envelope, payloads: list[bytes]) -> list[bytes]:
    return [b"%b\n" % line for line in envelope.lines(payloads)]


def _as_they_came(envelope: Envelope, payloads: list[bytes]) -> list[tuple[Envelope, bytes]]:
    return list(zip(repeat(envelope), payloads))


def _nothing(_: object) -> bytes:
    raise NotImplementedError("nothing is written like this")


FRAMES = Framing(Envelope.frames, b"".join, text_frame, text_frame, keeps_breaks=True)
"""A WebSocket frame for each message."""
BATCH = Framing(Envelope.lines, batch_frames, bytes, bytes)
"""A line for each message; lines that are written together share WebSocket frames."""
RECORDS = replace(
    BATCH,
    encode=Envelope.records,
    join=partial(batch_frames, between=RECORD_SEPARATOR),
    keeps_breaks=True,
)
"""The same with every byte of a payload: another sign than a line break parts the messages."""
BATCHES = {"1": BATCH, "2": RECORDS}
"""The ways of sharing frames, by what `?batch=` asks for."""
EVENTS = Framing(_events, chunk, notice_event, message_event, mark=with_id)
"""A server-sent event for each message; those that are written together are one chunk."""
EVENTS_UNCHUNKED = replace(EVENTS, join=b"".join)
"""The same for HTTP/1.0, which has no chunks."""
JSON_LINES = Framing(_json_lines, chunk, json_line, json_line)
"""A line for each message (NDJSON), in chunks."""
JSON_LINES_UNCHUNKED = replace(JSON_LINES, join=b"".join)
"""The same for HTTP/1.0."""
CALLS = Framing(_messages, _nothing, _nothing, _nothing)
"""A `Message` for each message, for the program's own code."""
UNENCODED = Framing(_as_they_came, _nothing, _nothing, _nothing)
"""Envelope and payload of each message, for who has yet to decide which ones are encoded."""
