"""Messages compressed each by itself, and inflated within bounds (RFC 7692, section 7.2)."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire import deflate as module
from bridge.wire.deflate import InflatedTooLarge, InflateError, deflate, inflate

END = b"\x00\x00\xff\xff"
BITS = st.integers(module.MIN_WINDOW_BITS, module.MAX_WINDOW_BITS)
TEXTS = st.builds(lambda some, times: some * times, st.binary(), st.integers(1, 2000))


def inflated_by(bits: int, data: bytes) -> bytes:
    """Return what one with such a window makes of `data`; in steps, or it needed no window."""
    inflater, text = zlib.decompressobj(-bits), b""
    rest = data + END
    while piece := inflater.decompress(rest, 64):
        text, rest = text + piece, inflater.unconsumed_tail
    return text


@given(TEXTS, BITS)
def test_who_has_a_window_of_that_size_can_inflate_it(text: bytes, bits: int) -> None:
    assert inflated_by(bits, deflate(text, bits)) == text
    assert inflate(deflate(text, bits), len(text)) == text


def test_a_smaller_window_is_really_kept_to() -> None:
    far = bytes(range(256)) * 2 + b"x" * 3000 + bytes(range(256)) * 2
    with pytest.raises(zlib.error, match="too far back"):
        inflated_by(9, deflate(far, 12))
    assert inflated_by(9, deflate(far, 9)) == inflated_by(12, deflate(far, 12)) == far


@given(st.lists(TEXTS, min_size=2, max_size=5))
def test_each_stands_alone_and_one_who_keeps_what_came_before_reads_them_too(
    texts: list[bytes],
) -> None:
    keeps = zlib.decompressobj(-15)
    for text in texts:
        data = deflate(text) + END
        assert keeps.decompress(data) == zlib.decompressobj(-15).decompress(data) == text


@pytest.mark.parametrize(
    "data",
    [
        "f248cdc9c90700",  # one block
        "000500faff48656c6c6f00",  # a block that is not compressed
        "f348cdc9c9070000",  # a final block
        "f248050000 00ffffcac9c90700",  # two blocks
    ],
)
def test_the_examples_of_the_standard_are_inflated(data: str) -> None:
    assert inflate(bytes.fromhex(data), 5) == b"Hello"


def test_an_empty_message_is_one_zero_byte() -> None:
    assert inflate(b"\x00", 0) == b""
    assert inflate(deflate(b""), 0) == b""


def test_the_most_is_taken_and_no_byte_more() -> None:
    data = deflate(b"x" * 1000)
    assert inflate(data, 1000) == b"x" * 1000
    with pytest.raises(InflatedTooLarge):
        inflate(data, 999)


def test_a_bomb_takes_no_memory() -> None:
    bomb = deflate(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(InflatedTooLarge):
        inflate(bomb, 65536)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(bomb) < 300_000
    assert peak < len(bomb) + 500_000


FINAL = bytes.fromhex("f348cdc9c90700")


def after(text: bytes) -> bytes:
    """Return `text` compressed by somebody who takes over the window of the same one before it."""
    deflater = zlib.compressobj(wbits=-15)
    first, second = (deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH) for _ in "12")
    assert len(second) < len(first)
    return second.removesuffix(END)


@pytest.mark.parametrize(
    "data",
    {
        "no block at all": b"",
        "garbage": b"\xff" * 20,
        "text that is not compressed": b'{"subjects": ["a"]}',
        "the half of it": deflate(bytes(range(256)))[:100],
        "something of the message before": after(b"Hello" * 9),
        "something behind a final block": FINAL + FINAL,
        "many final blocks": b"\x03\x00" * 30000,
    }.items(),
    ids=lambda each: each[0],
)
def test_what_is_no_whole_message_is_refused(data: tuple[str, bytes]) -> None:
    with pytest.raises(InflateError):
        inflate(data[1], 65536)


@given(st.binary(max_size=300), st.integers(0, 100))
def test_nothing_else_comes_of_anything(data: bytes, most: int) -> None:
    try:
        assert len(inflate(data, most)) <= most
    except InflateError:
        pass
