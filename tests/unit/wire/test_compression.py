"""The framings of those who take compression say the same as those of the others."""

from __future__ import annotations

import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.compression import MAX_BYTES, Compression
from bridge.wire.deflate import inflate
from bridge.wire.envelope import Envelope
from bridge.wire.frames import batch_frames, text_of
from bridge.wire.framing import (
    BATCH,
    EVENTS,
    EVENTS_UNCHUNKED,
    FRAMES,
    JSON_LINES,
    JSON_LINES_UNCHUNKED,
    Framing,
)
from bridge.wire.gzip_blocks import HEADER
from tests.unit.wire.test_frames import unframed

PLAIN, PACKED = 0x81, 0xC1


class Counted(list[tuple[int, int]]):
    """Takes note of what is compressed."""

    def __call__(self, before: int, after: int) -> None:
        self.append((before, after))


def compression(least: int | None = 200) -> Compression:
    return Compression(least, Counted())


def unpacked(data: bytes) -> list[tuple[bool, bytes]]:
    """Return the text of each frame, and whether it was compressed."""
    found = []
    while data:
        assert data[0] in (PLAIN, PACKED)
        size = {126: 4, 127: 10}.get(data[1], 2)
        size += int.from_bytes(data[2:size]) if size > 2 else data[1]
        frame, data = data[:size], data[size:]
        (payload,) = unframed(b"\x81" + frame[1:])
        packed = frame[0] == PACKED
        found.append((packed, inflate(payload, 10**7) if packed else payload))
    return found


PAYLOADS = st.lists(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=300).map(lambda text: json.dumps(text).encode()),
        st.integers(0, 70000).map(lambda size: b'"%b"' % (b"x" * size)),
    ),
    min_size=1,
    max_size=6,
)


@given(PAYLOADS, st.integers(9, 12), st.integers(1, 300))
def test_each_message_is_a_frame_with_the_same_text(
    payloads: list[bytes], bits: int, least: int
) -> None:
    framing = compression(least).framing(FRAMES, bits)
    plain = FRAMES.encode(Envelope("a"), payloads)
    pieces = framing.encode(Envelope("a"), payloads)
    assert len(pieces) == len(plain)
    for piece, frame in zip(pieces, plain, strict=True):
        ((packed, text),) = unpacked(piece)
        assert text == text_of(frame)
        assert len(piece) < len(frame) if packed else piece == frame
        assert not packed or len(text) >= least
    assert framing.join(pieces) == b"".join(pieces)


@given(PAYLOADS, st.integers(9, 12), st.integers(1, 300))
def test_lines_that_are_written_together_are_the_same(
    payloads: list[bytes], bits: int, least: int
) -> None:
    framing = compression(least).framing(BATCH, bits)
    lines = framing.encode(Envelope("a"), payloads)
    assert lines == BATCH.encode(Envelope("a"), payloads)
    written = framing.join(lines)
    assert [text for _, text in unpacked(written)] == unframed(BATCH.join(lines))
    assert len(written) <= len(BATCH.join(lines))


def test_many_are_one_frame_a_fifth_of_the_size() -> None:
    chance = random.Random(1)
    lines = [
        b'{"subject":"orders.%d","data":{"id":%d,"price":%d.%d,"side":"buy","venue":"XETR"}}'
        % (chance.randrange(9), number, chance.randrange(999), chance.randrange(99))
        for number in range(50)
    ]
    framing = compression().framing(BATCH, 12)
    ((packed, _),) = unpacked(framing.join(lines))
    assert packed
    assert len(framing.join(lines)) * 5 < len(BATCH.join(lines))


@pytest.mark.parametrize("plain", [FRAMES, BATCH])
def test_what_is_short_too_long_or_does_not_shrink_goes_as_it_is(plain: Framing) -> None:
    def written(framing: Framing, text: bytes) -> bytes:
        return framing.join(framing.encode(Envelope("a"), [b'"%b"' % text]))

    packs = compression(least=200).framing(plain, 12)
    around = len(text_of(written(plain, b"")))
    assert written(packs, b"x" * (199 - around)) == written(plain, b"x" * (199 - around))
    assert written(packs, b"x" * (200 - around)) != written(plain, b"x" * (200 - around))
    assert written(packs, b"x" * (MAX_BYTES - around))[0] == PACKED
    too_long = b"x" * (MAX_BYTES + 1 - around)
    assert written(packs, too_long) == written(plain, too_long)
    always = compression(least=1).framing(plain, 12)
    assert written(always, b"xQ") == written(plain, b"xQ")


def test_those_with_the_same_window_share_a_framing_and_so_a_group() -> None:
    one = compression()
    assert one.framing(FRAMES, 12) is one.framing(FRAMES, 12)
    framings = {one.framing(plain, bits) for plain in (FRAMES, BATCH) for bits in (0, 9, 12)}
    assert len(framings) == 6
    assert {FRAMES, BATCH} < framings


def test_nothing_is_agreed_on_where_it_is_off() -> None:
    assert compression(None).agree("permessage-deflate") is None
    assert compression(None).zipped(EVENTS) is None
    assert compression(200).agree("permessage-deflate") is not None


def test_what_one_connection_alone_gets_is_not_compressed() -> None:
    for plain in (FRAMES, BATCH):
        framing = compression().framing(plain, 12)
        lines = [framing.notice(b"x" * 1000)] * 3
        assert (framing.alone or framing.join)(lines) == plain.join(lines)
    assert compression().framing(BATCH, 12).alone is batch_frames


def test_bytes_are_counted_before_and_after_once_for_all() -> None:
    counted = Counted()
    framing = Compression(10, counted).framing(BATCH, 12)
    data = framing.join([b"x" * 500])
    framing.join([b"short"])
    assert counted == [(500, len(data) - 2)]


def unzipped(written: bytes, *, chunked: bool) -> bytes:
    """Return the text of blocks that were written at once."""
    if chunked:
        head, written = written.split(b"\r\n", 1)
        assert (len(written) - 2, written[-2:]) == (int(head, 16), b"\r\n")
        written = written[:-2]
    return zlib.decompressobj(wbits=31).decompress(HEADER + written)


@pytest.mark.parametrize("plain", [EVENTS, EVENTS_UNCHUNKED, JSON_LINES, JSON_LINES_UNCHUNKED])
@pytest.mark.parametrize("size", [1, 5000, MAX_BYTES // 3 - 100, MAX_BYTES])
def test_what_is_written_of_a_response_at_once_has_the_same_text(plain: Framing, size: int) -> None:
    counted = Counted()
    framing = Compression(200, counted).zipped(plain)
    assert framing is not None
    pieces = framing.encode(Envelope("a"), [b'"%b"' % (b"x" * size)] * 3)
    assert pieces == plain.encode(Envelope("a"), [b'"%b"' % (b"x" * size)] * 3)
    chunked = plain in (EVENTS, JSON_LINES)
    for join in (framing.join, framing.join_alone):
        written = join(pieces)
        assert unzipped(written, chunked=chunked) == b"".join(pieces)
    is_packed = 200 <= len(b"".join(pieces)) <= MAX_BYTES
    assert len(counted) == is_packed, "what one connection alone gets is not compressed"
    assert (len(framing.join(pieces)) < len(plain.join(pieces))) == is_packed


def test_a_burst_of_similar_messages_is_a_response_of_a_seventh() -> None:
    chance = random.Random(1)
    pieces = [
        b'{"subject":"orders.%d","data":{"id":%d,"price":%d.%d,"side":"buy","venue":"XETR"}}\n'
        % (chance.randrange(9), number, chance.randrange(999), chance.randrange(99))
        for number in range(50)
    ]
    framing = compression().zipped(JSON_LINES)
    assert framing is not None
    assert len(framing.join(pieces)) * 5 < len(JSON_LINES.join(pieces))


def test_responses_in_gzip_share_a_framing_also_with_metadata() -> None:
    one = compression()
    framings = [one.zipped(EVENTS), one.zipped(EVENTS), one.zipped(JSON_LINES)]
    assert framings[0] is framings[1] is not framings[2]
    assert framings[0] is not None
    told = framings[0].with_meta(("time",))
    assert told is framings[0].with_meta(("time",))
    assert (told.join, told.alone, told.mark) == (
        framings[0].join,
        framings[0].alone,
        EVENTS.mark,
    )
