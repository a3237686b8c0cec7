"""What the heads of a browser's frames give away, however they are cut."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.web import frame_meter
from bridge.web.frame_meter import FrameMeter, MeteredReader
from bridge.wire.codes import CloseCode

TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
SIZES = (0, 1, 125, 126, 127, 65535, 65536, 70000)


def frame(opcode: int, size: int = 0, *, final: bool = True, masked: bool = True) -> bytes:
    """Return a frame as a browser sends it; its payload looks like heads of others."""
    if size < 126:
        length = bytes([size])
    else:
        length = b"\x7e" + size.to_bytes(2) if size < 65536 else b"\x7f" + size.to_bytes(8)
    first, second = opcode | (0x80 if final else 0), length[0] | (0x80 if masked else 0)
    payload = (b"\x09\x00" * (size // 2 + 1))[:size]
    return bytes([first, second]) + length[1:] + (b"mask" if masked else b"") + payload


FRAMES = st.tuples(st.sampled_from([TEXT, BINARY, CLOSE]), st.sampled_from(SIZES))


def cut(data: bytes, seed: int) -> list[bytes]:
    chance, pieces = random.Random(seed), []
    while data:
        size = chance.choice([1, 2, 3, 7, 1000, 65536])
        pieces.append(data[:size])
        data = data[size:]
    return pieces


@given(st.lists(FRAMES, max_size=6), st.integers(0, 1000))
def test_ordinary_frames_have_no_fault_however_they_are_cut(
    frames: list[tuple[int, int]], seed: int
) -> None:
    meter = FrameMeter(0)
    for piece in cut(b"".join(frame(*each) for each in frames), seed):
        assert meter.fault(piece, 0) is None


@given(st.lists(FRAMES, max_size=4), st.sampled_from([0, 1, 2, 8, 9, 10]), st.integers(0, 1000))
def test_a_frame_without_a_mask_is_found_wherever_it_stands(
    before: list[tuple[int, int]], opcode: int, seed: int
) -> None:
    data = b"".join(frame(*each) for each in before) + frame(opcode, 5, masked=False)
    meter = FrameMeter(0)
    faults = [meter.fault(piece, 0) for piece in cut(data, seed)]
    assert CloseCode.PROTOCOL_ERROR in faults


@pytest.mark.parametrize(
    "one",
    [
        frame(PING),
        frame(PONG, 125),
        frame(CONTINUATION),
        frame(TEXT, final=False),
        frame(CONTINUATION, 1, final=False),
        frame(CLOSE),
    ],
)
def test_more_than_a_burst_is_a_flood(one: bytes) -> None:
    meter = FrameMeter(0)
    assert meter.fault(one * frame_meter.FRAME_BURST, 0) is None
    assert meter.fault(one * 100, 1) is None
    assert meter.fault(one * 2, 1) == CloseCode.FLOOD


@pytest.mark.parametrize(
    "one", [frame(TEXT, 20), frame(CONTINUATION, 64, final=False), frame(TEXT, 64, final=False)]
)
def test_requests_and_fragments_of_some_size_are_not_counted_here(one: bytes) -> None:
    meter = FrameMeter(0)
    assert meter.fault(one * 10000, 0) is None


class Reader:
    def __init__(self) -> None:
        self.read: list[bytes] = []

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.read.append(data)
        return False, b""

    def feed_eof(self) -> None:
        self.read.append(b"end")


async def test_after_a_fault_nothing_is_read_and_it_is_told_once() -> None:
    told: list[CloseCode] = []
    reader = Reader()
    metered = MeteredReader(reader, told.append)
    metered.feed_data(frame(TEXT, 3))
    for _ in range(3):
        assert metered.feed_data(frame(PING, masked=False)) == (False, b"")
    metered.feed_eof()
    assert told == [CloseCode.PROTOCOL_ERROR]
    assert reader.read == [frame(TEXT, 3), b"end"]
