"""Compressed messages, led past aiohttp as binary ones, however they are cut."""

from __future__ import annotations

import pytest
from aiohttp import WebSocketError, WSMessage, WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from bridge.web.compressed_requests import CompressedRequests
from bridge.web.frame_meter import MeteredReader
from bridge.wire.deflate import deflate
from tests.unit.web.test_frame_meter import (
    BINARY,
    CONTINUATION,
    PING,
    SIZES,
    TEXT,
    Reader,
    cut,
    frame,
)

MARK = 0x40
FRAMES = st.tuples(
    st.sampled_from([TEXT, BINARY, CONTINUATION, PING]),
    st.sampled_from([0, MARK, 0x20, MARK | 0x20]),
    st.sampled_from(SIZES),
    st.booleans(),
)


def marked(opcode: int, mark: int, size: int, final: bool) -> bytes:
    data = frame(opcode, size, final=final)
    return bytes([data[0] | mark]) + data[1:]


@given(st.lists(FRAMES, max_size=6), st.integers(0, 1000))
def test_compressed_messages_become_binary_ones_and_the_rest_stays(
    frames: list[tuple[int, int, int, bool]], seed: int
) -> None:
    requests = CompressedRequests(65536)
    wanted = b""
    for opcode, mark, size, final in frames:
        if opcode in (TEXT, BINARY) and mark == MARK:
            wanted += frame(BINARY, size, final=final)
        else:
            wanted += marked(opcode, mark, size, final)
    pieces = cut(b"".join(marked(*each) for each in frames), seed)
    assert b"".join(map(requests.unmark, pieces)) == wanted


def test_messages_are_taken_as_they_were_meant_in_their_order() -> None:
    requests = CompressedRequests(100)
    heads = [(TEXT, 0), (TEXT, MARK), (BINARY, 0), (BINARY, MARK), (TEXT, MARK)]
    requests.unmark(b"".join(marked(opcode, mark, 1, True) for opcode, mark in heads))
    requests.unmark(marked(PING, 0, 1, True) + marked(CONTINUATION, 0, 1, True))
    plain = WSMessage(WSMsgType.TEXT, "plain", ""), WSMessage(WSMsgType.BINARY, b"plain", "")
    packed = WSMessage(WSMsgType.BINARY, deflate("ü".encode()), "")
    assert requests.take(plain[0]) is plain[0]
    assert requests.take(packed)[:2] == (WSMsgType.TEXT, "ü")
    assert requests.take(plain[1]) is plain[1]
    assert requests.take(packed)[:2] == (WSMsgType.BINARY, "ü".encode())
    requests.unmark(marked(TEXT, 0, 1, True))
    assert requests.take(packed)[:2] == (WSMsgType.TEXT, "ü")
    assert requests.take(plain[0]) is plain[0]


@pytest.mark.parametrize(
    ("opcode", "data", "code"),
    [
        (TEXT, deflate(b"x" * 101), 1009),
        (BINARY, deflate(b"x" * 101), 1009),
        (TEXT, deflate(b"\xff"), 1007),
        (TEXT, b"no deflate", 1007),
        (TEXT, b"", 1007),
    ],
)
def test_what_cannot_be_taken_says_how_to_close(opcode: int, data: bytes, code: int) -> None:
    requests = CompressedRequests(100)
    requests.unmark(marked(opcode, MARK, 1, True))
    with pytest.raises(WebSocketError) as raised:
        requests.take(WSMessage(WSMsgType.BINARY, data, ""))
    assert raised.value.code == code


async def test_the_metered_reader_hands_on_what_was_unmarked() -> None:
    reader = Reader()
    metered = MeteredReader(reader, lambda code: None, CompressedRequests(100))
    metered.feed_data(marked(TEXT, MARK, 3, True))
    assert reader.read == [frame(BINARY, 3)]
