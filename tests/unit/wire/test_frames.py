"""WebSocket frames, for any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire import frames


def unframed(data: bytes) -> list[bytes]:
    """Return the payloads of unmasked text frames (RFC 6455, section 5.2)."""
    payloads = []
    while data:
        assert data[0] == 0x81
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        payloads.append(data[start : start + size])
        data = data[start + size :]
    return payloads


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_text_frame_has_the_length_the_standard_asks_for(size: int) -> None:
    assert unframed(frames.text_frame(b"x" * size)) == [b"x" * size]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_batch_frames_hold_every_line_in_order_within_the_limit(sizes: list[int]) -> None:
    lines = [b"%d" % (n % 10) * size for n, size in enumerate(sizes)]
    written = unframed(frames.batch_frames(lines, most=64))
    assert [line for frame in written for line in frame.split(b"\n")] == lines
    assert all(len(frame) <= 64 for frame in written)


def test_a_line_over_the_limit_has_a_frame_of_its_own() -> None:
    lines = [b"a", b"x" * 100, b"b"]
    assert unframed(frames.batch_frames(lines, most=64)) == lines
