"""permessage-deflate (RFC 7692): messages compressed each by itself, so that once is for all.

Nothing is remembered from one message to the next: no window is held for a connection, in neither
direction.
"""

from __future__ import annotations

import zlib

MAX_WINDOW_BITS = 12
"""Of what we compress. With 15, the working memory of zlib is asked of the kernel each time, which
costs ten times what it takes to compress some messages, and frames are hardly smaller."""
MIN_WINDOW_BITS = 9
"""zlib knows no raw deflate with 8, though RFC 7692 does."""

_LEVEL, _MEMORY_LEVEL = 1, 5
FLUSHED = b"\x00\x00\xff\xff"
"""An empty block, at the end of what is flushed; the sender leaves it out (section 7.2.1)."""
FINAL = b"\x03\x00"
"""An empty block that ends it all: only what ended with a whole block can go on with this."""


class InflateError(ValueError):
    """This is not what a message is compressed to."""


class InflatedTooLarge(InflateError):
    """It holds more than it may."""


def deflate(text: bytes, window_bits: int = MAX_WINDOW_BITS) -> bytes:
    """Return `text` compressed; whoever inflates it needs a window of `window_bits`."""
    deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -window_bits, _MEMORY_LEVEL)
    return (deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH))[: -len(FLUSHED)]


def inflate(data: bytes, most: int) -> bytes:
    """Return the message that `data` holds. Takes memory for `most` bytes, whatever is in there.

    Raises InflatedTooLarge if there are more, or InflateError. A message may end with a final block
    and the byte that has to follow one (section 7.2.3.5), but nothing is read behind that: each
    further part would cost an inflater, and two bytes are enough for a part.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = inflater.decompress(data + FLUSHED + FINAL, most + 1)
    except zlib.error as error:
        raise InflateError("a message cannot be inflated") from error
    if len(text) > most:
        raise InflatedTooLarge(f"a message is inflated to more than {most} bytes")
    if not inflater.eof or inflater.unused_data not in (b"", b"\x00" + FLUSHED + FINAL):
        raise InflateError("a compressed message does not end where it should")
    return text
