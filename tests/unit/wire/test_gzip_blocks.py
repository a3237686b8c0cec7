"""Blocks of gzip in any order are one text, which is there as far as it has come."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.gzip_blocks import HEADER, Sum, deflated, stored

BLOCKS = st.lists(st.tuples(st.binary(max_size=3000), st.booleans()), max_size=8)


@given(BLOCKS)
def test_blocks_in_any_order_are_one_text_as_soon_as_each_has_come(
    blocks: list[tuple[bytes, bool]],
) -> None:
    reader, total = zlib.decompressobj(wbits=31), Sum()
    assert reader.decompress(HEADER) == b""
    whole = HEADER
    for text, is_packed in blocks:
        block = deflated(text) if is_packed else stored(text)
        total.add(text)
        whole += block
        assert reader.decompress(block) == text
    assert not reader.eof
    assert reader.decompress(total.end()) == b""
    assert reader.eof
    assert gzip.decompress(whole + total.end()) == b"".join(text for text, _ in blocks)


@pytest.mark.parametrize("size", [65535, 65536, 200_000])
def test_a_long_text_is_stored_in_several_blocks(size: int) -> None:
    text, total = b"x" * size, Sum()
    total.add(text)
    assert gzip.decompress(HEADER + stored(text) + total.end()) == text


def test_a_response_may_have_more_than_four_gigabytes() -> None:
    class Long(bytes):
        def __len__(self) -> int:
            return (1 << 32) - 1

    total = Sum()
    total.add(Long(b"x"))
    total.add(b"yz")
    assert total.end()[-4:] == (1).to_bytes(4, "little")
