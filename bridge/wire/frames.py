"""WebSocket frames: those that a server writes, and the heads of those it reads (RFC 6455, 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

MAX_BATCH_FRAME_BYTES = 65536
"""Of a frame that holds several lines."""
MAX_REMEMBERED_SIZE = 16384
"""Of frames whose head is remembered."""
RECORD_SEPARATOR = b"\x1e"
"""Parts messages whose payloads may hold line breaks: it stands in no JSON."""
PING = b"\x89\x00"
"""An empty ping."""

FINAL, OPCODE = 0x80, 0x0F
"""Bits of the first byte: of the last frame of a message; what the frame is."""
RESERVED, COMPRESSED = 0x70, 0x40
"""Bits for extensions; the one that says that a message is compressed (RFC 7692, section 6)."""
CONTINUATION, TEXT, BINARY, FIRST_CONTROL = 0x0, 0x1, 0x2, 0x8
"""Opcodes; all from the last one on are of control frames."""
_MASKED, _LENGTH = 0x80, 0x7F
_LENGTH_BYTES = {126: 2, 127: 8}
_MASK_BYTES = 4
_COMPRESSED_TEXT = bytes([FINAL | COMPRESSED | TEXT])


def frame_head(size: int) -> bytes:
    """Return the head of a text frame with a payload of `size` bytes."""
    if size < 126:
        return b"\x81%c" % size
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


class _Heads(dict[int, bytes]):
    """Heads by size, remembered where frames are many: at most 3 MiB of them."""

    def __missing__(self, size: int) -> bytes:
        head = frame_head(size)
        if size < MAX_REMEMBERED_SIZE:
            self[size] = head
        return head


FRAME_HEADS = _Heads()
"""The head of a text frame, by the size of its payload."""


class Head(NamedTuple):
    """The head of a frame."""

    first: int
    """Its first byte."""
    masked: bool
    size: int
    """Bytes of the payload."""
    end: int
    """Where the frame ends."""


def read_head(data: bytes, position: int) -> Head | None:
    """Return the head of the frame that begins at `position`; None if not all of it has come."""
    if len(data) - position < 2:
        return None
    first, second = data[position], data[position + 1]
    size, masked = second & _LENGTH, bool(second & _MASKED)
    extended = _LENGTH_BYTES.get(size, 0)
    begin = position + 2 + extended + (_MASK_BYTES if masked else 0)
    if begin > len(data):
        return None
    if extended:
        size = int.from_bytes(data[position + 2 : position + 2 + extended])
    return Head(first, masked, size, begin + size)


def text_frame(payload: bytes) -> bytes:
    """Return `payload` as one text frame."""
    return FRAME_HEADS[len(payload)] + payload


def compressed_frame(payload: bytes) -> bytes:
    """Return `payload`, which is a compressed text, as one frame."""
    return _COMPRESSED_TEXT + frame_head(len(payload))[1:] + payload


def text_of(frame: bytes) -> bytes:
    """Return the payload of a frame that `text_frame` made."""
    return frame[2 + _LENGTH_BYTES.get(frame[1], 0) :]


def batch_frames(
    lines: Sequence[bytes],
    most: int = MAX_BATCH_FRAME_BYTES,
    between: bytes = b"\n",
    frame: Callable[[bytes], bytes] = text_frame,
) -> bytes:
    """Return `lines` as text frames of at most `most` bytes each, or of one longer line.

    `between`: what parts those in one frame. `frame` makes a frame of a text.
    """
    text = between.join(lines)
    if len(text) <= most or len(lines) == 1:
        return frame(text) if lines else b""
    half = len(lines) // 2
    halves = lines[:half], lines[half:]
    return b"".join(batch_frames(some, most, between, frame) for some in halves)
