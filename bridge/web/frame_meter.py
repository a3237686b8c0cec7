"""The heads of a browser's frames, read before aiohttp reads the frames: what RFC 6455 forbids, and
what comes too often.

aiohttp takes unmasked frames, and it answers all pings that it has read in one go: tens of
thousands, while everybody else waits. Requests are counted where they are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from bridge.token_bucket import TokenBucket
from bridge.wire.codes import CloseCode
from bridge.wire.frames import CONTINUATION, FINAL, FIRST_CONTROL, OPCODE, read_head

MAX_FRAMES_PER_SECOND = 100.0
"""Control frames and tiny fragments on average; a browser sends a pong each 25 s, no fragments."""
FRAME_BURST = 600
"""At once."""
TINY_BYTES = 64
"""A fragment with so many costs no more than its bytes do anyway."""


class FrameMeter:
    """Follows the frames of one connection by their heads (RFC 6455, section 5.2)."""

    __slots__ = ("_bucket", "_head", "_payload_left")

    def __init__(self, now: float) -> None:
        self._bucket = TokenBucket(MAX_FRAMES_PER_SECOND, FRAME_BURST, now)
        self._head = b""
        """What has come of a head that is not whole."""
        self._payload_left = 0

    def fault(self, data: bytes, now: float) -> CloseCode | None:
        """Take what came; return the code to close the connection with, if there is one."""
        if self._payload_left >= len(data):
            self._payload_left -= len(data)
            return None
        data, position = self._head + data, self._payload_left
        while head := read_head(data, position):
            if not head.masked:
                return CloseCode.PROTOCOL_ERROR
            if _is_extra(head.first, head.size) and not self._bucket.take(now):
                return CloseCode.FLOOD
            position = head.end
        self._head = data[position:]
        self._payload_left = max(0, position - len(data))
        return None


def _is_extra(first: int, length: int) -> bool:
    """Tell from its first byte and its length whether a frame counts, being no whole request."""
    opcode = first & OPCODE
    if opcode >= FIRST_CONTROL:
        return True
    return (opcode == CONTINUATION or not first & FINAL) and length < TINY_BYTES


class Reader(Protocol):
    """aiohttp's reader of frames."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]: ...
    def feed_eof(self) -> None: ...


class Unmarking(Protocol):
    """Leads frames that may be compressed past aiohttp."""

    def unmark(self, data: bytes) -> bytes: ...


class MeteredReader:
    """Stands before aiohttp's reader; from the first fault on, of which it tells, it reads nothing.

    `failed` is called with the code to close the connection with. `compressed`, if
    any may be, says what aiohttp may read of what came.
    """

    __slots__ = ("_compressed", "_failed", "_has_failed", "_loop", "_meter", "_reader")

    def __init__(
        self,
        reader: Reader,
        failed: Callable[[CloseCode], None],
        compressed: Unmarking | None = None,
    ) -> None:
        self._reader = reader
        self._failed = failed
        self._compressed = compressed
        self._loop = asyncio.get_running_loop()
        self._meter = FrameMeter(self._loop.time())
        self._has_failed = False

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what came; return what aiohttp's own does: whether it is the end, what is left."""
        if not self._has_failed:
            code = self._meter.fault(data, self._loop.time())
            if code is None:
                if self._compressed is not None:
                    data = self._compressed.unmark(data)
                return self._reader.feed_data(data)
            self._has_failed = True
            self._failed(code)
        return False, b""

    def feed_eof(self) -> None:
        """Take the end of the connection."""
        self._reader.feed_eof()
