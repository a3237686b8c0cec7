"""gzip (RFC 1952) for responses that go on, of blocks that are made once for many of them.

No block refers to what is before it (RFC 1951), so any of them may follow any other. Only the end
is of one response alone: it has the checksum of all that this one has had. Each write a gzip
member of its own would have that made once, too, but browsers read no further than the first.
"""

from __future__ import annotations

import zlib

from bridge.wire.deflate import FINAL, FLUSHED, deflate

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""What each response begins with: deflate, no name, no time, no system."""
_MOST_STORED = 65535
_MODULUS = 1 << 32


class Zipped(bytes):
    """What is written: `data`, with the text in it.

    It is `data` itself, once more: what a transport has to keep should not keep the text.
    """

    data: bytes
    text: bytes

    @classmethod
    def of(cls, data: bytes, text: bytes) -> Zipped:
        """Return `data`, which has `text` in it."""
        made = cls(data)
        made.data, made.text = data, text
        return made


def stored(text: bytes) -> bytes:
    """Return `text` in blocks, as it is."""
    return b"".join(
        _stored(text[start : start + _MOST_STORED]) for start in range(0, len(text), _MOST_STORED)
    )


def _stored(text: bytes) -> bytes:
    size = len(text)
    return b"\x00%b%b%b" % (size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"), text)


def deflated(text: bytes) -> bytes:
    """Return `text` in blocks, compressed."""
    return deflate(text) + FLUSHED


class Sum:
    """Sums up the text of one response."""

    __slots__ = ("_crc", "_size")

    def __init__(self) -> None:
        self._crc = self._size = 0

    def add(self, text: bytes) -> None:
        """Take in what comes next of it."""
        self._crc = zlib.crc32(text, self._crc)
        self._size += len(text)

    def end(self) -> bytes:
        """Return what a response ends with that has had this."""
        size = self._size % _MODULUS
        return FINAL + self._crc.to_bytes(4, "little") + size.to_bytes(4, "little")
