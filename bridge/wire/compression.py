"""The framings of those who take compression: what a group gets is compressed once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from bridge.wire.deflate import deflate
from bridge.wire.envelope import Envelope
from bridge.wire.extensions import Agreement, agreed
from bridge.wire.frames import compressed_frame, text_frame, text_of
from bridge.wire.framing import FRAMES, Framing
from bridge.wire.gzip_blocks import Zipped, deflated, stored

DEFAULT_LEAST_BYTES = 200
"""Of a text that is worth it."""
MAX_BYTES = 262144
"""Of a text that is compressed: a hundredth of a second at worst, in which all else waits."""


class Compression:
    """Texts of `least` bytes or more are compressed; with None, nothing is agreed on.

    Framings that it makes are the same objects each time, so that connections share groups.

    `count` is called with the bytes of each, before and after.
    """

    def __init__(self, least: int | None, count: Callable[[int, int], None]) -> None:
        self._least = least
        self._count = count
        self._framings: dict[tuple[Framing, int], Framing] = {}
        self._zipped: dict[Framing, Framing] = {}

    def agree(self, header: str) -> Agreement | None:
        """Return what comes of what a browser offers; None if that is nothing."""
        return None if self._least is None else agreed(header)

    def framing(self, plain: Framing, window_bits: int) -> Framing:
        """Return the framing to use instead of FRAMES or BATCH; `window_bits`: 0 if none agreed."""
        if not window_bits:
            return plain
        made = self._framings.get((plain, window_bits))
        if made is None:
            frame = partial(self.frame, window_bits=window_bits)
            made = _frames(frame) if plain is FRAMES else _shared(plain, frame)
            self._framings[plain, window_bits] = made
        return made

    def frame(self, text: bytes, window_bits: int) -> bytes:
        """Return `text` as one frame, compressed if that makes it smaller."""
        before = len(text)
        if self._least is None or not self._least <= before <= MAX_BYTES:
            return text_frame(text)
        data = deflate(text, window_bits)
        self._count(before, min(before, len(data)))
        return compressed_frame(data) if len(data) < before else text_frame(text)

    def zipped(self, plain: Framing) -> Framing | None:
        """Return the framing to use instead of one of a response; None if compression is off."""
        if self._least is None:
            return None
        made = self._zipped.get(plain)
        if made is None:
            made = self._zipped[plain] = _in_blocks(plain, self.blocks)
        return made

    def blocks(self, text: bytes) -> bytes:
        """Return `text` in blocks of gzip, compressed if that makes it smaller."""
        before = len(text)
        if self._least is None or not self._least <= before <= MAX_BYTES:
            return stored(text)
        data = deflated(text)
        self._count(before, min(before, len(data)))
        return data if len(data) < before else stored(text)


def _frames(frame: Callable[[bytes], bytes]) -> Framing:
    """Return the framing like FRAMES in which `frame` makes a frame of each message."""

    def encode(envelope: Envelope, payloads: list[bytes]) -> list[bytes]:
        return [frame(text_of(each)) for each in envelope.frames(payloads)]

    return replace(FRAMES, encode=encode, wrap=frame)


def _shared(plain: Framing, frame: Callable[[bytes], bytes]) -> Framing:
    """Return the framing like `plain` in which `frame` makes a frame of what is written at once."""
    return replace(plain, join=partial(plain.join, frame=frame), alone=plain.join)


def _in_blocks(plain: Framing, blocks: Callable[[bytes], bytes]) -> Framing:
    """Return the framing like `plain` of which `blocks` makes blocks of what is written at once.

    What one connection alone gets is not compressed.
    """

    def join(pieces: Sequence[bytes], blocks: Callable[[bytes], bytes]) -> Zipped:
        text = b"".join(pieces)
        return Zipped.of(plain.join((blocks(text),)), text)

    return replace(plain, join=partial(join, blocks=blocks), alone=partial(join, blocks=stored))
