"""Stored messages as they stand on our wire: their place in the stream beside the payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bridge.wire.cursor import cursor_text
from bridge.wire.metadata import read_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bridge.history.stored import Stored
    from bridge.history.tail import Tail
    from bridge.wire.envelope import Envelope
    from bridge.wire.framing import Framing

_encode = msgspec.json.encode
_REPLAY = b',"replay":true'


def pieces_of(
    messages: Sequence[Stored],
    envelopes: Iterable[Envelope],
    framing: Framing,
    meta: tuple[str, ...],
    *,
    is_replay: bool = False,
) -> list[bytes]:
    """Return messages as they are written to who wants `meta`; `envelopes`: of their subjects."""
    replay = _REPLAY if is_replay else b""
    if meta or any([message.headers for message in messages]):
        keys = [_keys(message, meta, replay) for message in messages]
    else:
        keys = [b',"seq":%d%b' % (message.sequence, replay) for message in messages]
    return framing.tell(envelopes, [message.payload for message in messages], keys)


def _keys(message: Stored, meta: tuple[str, ...], replay: bytes) -> bytes:
    """Return what stands between subject and payload. A stream keeps no reply subject."""
    told = b',"seq":%d' % message.sequence
    if "time" in meta:
        told += b',"time":"%b"' % message.time.encode()
    if not message.headers:
        return told + replay
    if "headers" in meta:
        told += b',"headers":%b' % _encode(read_headers(message.headers)[0])
    told += replay
    operation = message.operation
    return told if operation is None else told + b',"operation":%b' % _encode(operation)


def with_cursors(
    pieces: list[bytes], messages: Sequence[Stored], framing: Framing, tail: Tail, epoch: str
) -> list[bytes]:
    """Return pieces with the cursors of their messages, where those of this framing have any."""
    mark = framing.mark
    if mark is None:
        return pieces
    cursors = [cursor_text(tail.stream, epoch, message.sequence).encode() for message in messages]
    return list(map(mark, pieces, cursors))
