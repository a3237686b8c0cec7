"""WebSocket frames as a server writes them: unmasked, uncompressed (RFC 6455, section 5.2)."""

from __future__ import annotations

from collections.abc import Sequence

MAX_BATCH_FRAME_BYTES = 65536
"""Of a frame that holds several lines."""
MAX_REMEMBERED_SIZE = 16384
"""Of frames whose head is remembered."""
PING = b"\x89\x00"
"""An empty ping."""


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


def text_frame(payload: bytes) -> bytes:
    """Return `payload` as one text frame."""
    return FRAME_HEADS[len(payload)] + payload


def batch_frames(lines: Sequence[bytes], most: int = MAX_BATCH_FRAME_BYTES) -> bytes:
    """Return `lines` as text frames of at most `most` bytes each, or of one longer line."""
    text = b"\n".join(lines)
    if len(text) <= most or len(lines) == 1:
        return text_frame(text) if lines else b""
    half = len(lines) // 2
    return batch_frames(lines[:half], most) + batch_frames(lines[half:], most)
