"""WebSocket text frames as a server writes them: unmasked, uncompressed (RFC 6455, 5.2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

MOST = 65536
"""Bytes of the largest frame we take, and of the largest that holds several lines."""


def frame_head(size: int) -> bytes:
    """Return the head of a text frame with a payload of `size` bytes."""
    if size < 126:
        return b"\x81%c" % size
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")


def text_frame(payload: bytes) -> bytes:
    """Return `payload` as one text frame."""
    return frame_head(len(payload)) + payload


def batch_frames(lines: Sequence[bytes], most: int = MOST) -> bytes:
    """Return `lines` as text frames of at most `most` bytes each, or of one longer line."""
    text = b"\n".join(lines)
    if lines and len(text) <= most:
        return text_frame(text)
    ends = list(accumulate(map((1).__add__, map(len, lines))))
    frames: list[bytes] = []
    first = size_before = 0
    while first < len(lines):
        # The last line break is not written, hence the 1.
        after = max(bisect_right(ends, size_before + most + 1, first), first + 1)
        text = b"\n".join(lines[first:after])
        frames += (frame_head(len(text)), text)
        first, size_before = after, ends[after - 1]
    return b"".join(frames)
