"""Compressed requests: each is read as it was meant, or ends its own connection at no cost."""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator

import psutil
import pytest

from tests.service.browsers.test_nonsense import no_bug
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    COMPRESSED,
    CONTINUATION,
    FINAL,
    FLUSHED,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    client_frame,
    packed,
)
from tests.support.servers import Gateway, NatsServer, running

OFFER = "permessage-deflate; client_max_window_bits"
REQUEST = json.dumps({"action": "ping", "id": "the same one again " * 5}).encode()
PACKED = packed(REQUEST)
FIRST = FINAL | COMPRESSED | TEXT
NOTHING = client_frame(FINAL | COMPRESSED | TEXT, b"\x00")
KIB, MIB = 2**10, 2**20
MOST = 65536


def final_block(text: bytes) -> bytes:
    """Return `text` in a final block, with the byte behind it (RFC 7692, section 7.2.3.5)."""
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(text) + deflater.flush() + b"\x00"


def stored(text: bytes) -> bytes:
    """Return `text` in a block that is not compressed (RFC 1951, section 3.2.4)."""
    size = len(text)
    return (
        b"\x00"
        + size.to_bytes(2, "little")
        + (size ^ 0xFFFF).to_bytes(2, "little")
        + text
        + b"\x00"
    )


def fragments(data: bytes, size: int, between: bytes = b"") -> bytes:
    """Return a compressed text message in frames of `size` bytes."""
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    heads = [COMPRESSED | TEXT, *[CONTINUATION] * (len(parts) - 1)]
    heads[-1] |= FINAL
    return between.join(client_frame(*each) for each in zip(heads, parts, strict=True))


READ = {
    "in one frame": client_frame(FIRST, PACKED),
    "in fragments": fragments(PACKED, 7),
    "in fragments with pings between them": fragments(PACKED, 9, client_frame(FINAL | PING, b"p")),
    "with an empty fragment at the end": client_frame(COMPRESSED | TEXT, PACKED)
    + client_frame(FINAL | CONTINUATION),
    "with an empty fragment at the start": client_frame(COMPRESSED | TEXT)
    + client_frame(FINAL | CONTINUATION, PACKED),
    "with a final block": client_frame(FIRST, final_block(REQUEST)),
    "in a block that is not compressed": client_frame(FIRST, stored(REQUEST)),
    "not compressed": client_frame(FINAL | TEXT, REQUEST),
    "not compressed, in fragments": client_frame(TEXT, REQUEST[:9])
    + client_frame(FINAL | CONTINUATION, REQUEST[9:]),
}


@pytest.fixture
def raw(gateway: Gateway) -> Iterator[RawWebSocket]:
    with RawWebSocket(gateway.port, OFFER) as raw:
        yield raw


def is_answered(raw: RawWebSocket) -> bool:
    while (frame := raw.frame())[0] == FINAL | PONG:
        pass
    answer = json.loads(frame[1])
    return bool(answer["message"] == "pong" and answer["id"] == json.loads(REQUEST)["id"])


@pytest.mark.parametrize("way", READ)
def test_a_request_is_read_however_it_comes(raw: RawWebSocket, way: str) -> None:
    for _ in range(3):
        raw.send(READ[way])
        assert is_answered(raw)
    for byte in READ[way]:
        raw.send(bytes([byte]))
    assert is_answered(raw)


def test_all_ways_in_one_piece_are_read_in_their_order(raw: RawWebSocket) -> None:
    raw.send(*READ.values())
    for _ in READ:
        assert is_answered(raw)


def test_what_comes_with_the_handshake_is_read_too(gateway: Gateway) -> None:
    all_of_them = b"".join(READ.values())
    with RawWebSocket(gateway.port, OFFER, at_once=all_of_them[:-3]) as raw:
        raw.send(all_of_them[-3:])
        for _ in READ:
            assert is_answered(raw)


def test_an_empty_message_and_a_binary_one_are_refused_as_if_they_were_not_compressed(
    raw: RawWebSocket,
) -> None:
    raw.send(NOTHING, client_frame(FINAL | TEXT))
    raw.send(
        client_frame(FINAL | COMPRESSED | BINARY, PACKED), client_frame(FINAL | BINARY, REQUEST)
    )
    answers = [raw.text()[1] for _ in range(4)]
    assert answers[0] == answers[1]
    assert answers[2] == answers[3]
    assert json.loads(answers[2])["message"] == "Send requests as text, not as binary frames."


def test_a_token_may_come_compressed(nats_server: NatsServer, tmp_path, log) -> None:
    token = "the-token-of-somebody"
    (tmp_path / "tokens").write_text(json.dumps({"name": "somebody", "token": token}))
    settings = {"tokens_file": tmp_path / "tokens"}
    with running(Gateway(nats_server.url, log=log, **settings)) as service:
        raw = RawWebSocket(service.port, OFFER)
        with contextlib.closing(raw):
            assert b"token_required" in raw.text()[1]
            raw.send(client_frame(FIRST, packed(json.dumps({"token": token}).encode())))
            assert b"connection_id" in raw.text()[1]


def taken_over() -> bytes:
    """Return two requests, of which the second needs the window of the first one."""
    deflater = zlib.compressobj(wbits=-15)
    both = [deflater.compress(REQUEST) + deflater.flush(zlib.Z_SYNC_FLUSH) for _ in range(2)]
    return b"".join(client_frame(FIRST, each.removesuffix(FLUSHED)) for each in both)


BOMB = packed(bytes(60 * MIB))
ENDS = {
    "a bomb": (client_frame(FIRST, BOMB[:60000]), 1009),
    "a byte too many": (client_frame(FIRST, packed(b" " * (MOST + 1))), 1009),
    "too much that is compressed": (client_frame(FIRST, bytes(MOST + 1)), 1009),
    "too much in fragments": (fragments(bytes(MOST + 1), 10000), 1009),
    "garbage": (client_frame(FIRST, b"\xff" * 30), 1007),
    "no bytes at all": (client_frame(FIRST), 1007),
    "text with the mark alone": (client_frame(FIRST, REQUEST), 1007),
    "half of a message": (client_frame(FIRST, PACKED[: len(PACKED) // 2]), 1007),
    "a window from before": (taken_over(), 1007),
    "parts behind a final block": (client_frame(FIRST, b"\x03\x00" * 30000), 1007),
    "no UTF-8": (client_frame(FIRST, packed(b"\xff\xfe")), 1007),
    "the mark on a continuation": (
        client_frame(COMPRESSED | TEXT, PACKED[:9])
        + client_frame(FINAL | COMPRESSED | CONTINUATION, PACKED[9:]),
        1002,
    ),
    "the mark on a continuation of plain text": (
        client_frame(TEXT, REQUEST[:9])
        + client_frame(FINAL | COMPRESSED | CONTINUATION, REQUEST[9:]),
        1002,
    ),
    "the mark on a ping": (client_frame(FINAL | COMPRESSED | PING), 1002),
    "the mark on a ping between fragments": (
        fragments(PACKED, 9, client_frame(FINAL | COMPRESSED | PING)),
        1002,
    ),
    "the mark on a close frame": (
        client_frame(FINAL | COMPRESSED | CLOSE, (1000).to_bytes(2)),
        1002,
    ),
    "another mark": (client_frame(FINAL | 0x20 | TEXT, REQUEST), 1002),
    "another mark beside it": (client_frame(FIRST | 0x20, PACKED), 1002),
    "the mark on what is no kind of frame": (client_frame(FINAL | COMPRESSED | 3), 1002),
    "a message inside another": (client_frame(COMPRESSED | TEXT, PACKED[:9]) * 2, 1002),
    "a compressed message inside another": (
        client_frame(TEXT, REQUEST[:9]) + client_frame(FIRST, PACKED),
        1002,
    ),
    "no mask": (bytes([FIRST, len(PACKED)]) + PACKED, 1002),
}


@pytest.mark.parametrize("what", ENDS)
async def test_what_makes_no_sense_ends_its_own_connection(
    gateway: Gateway, raw_nats: RawNats, what: str
) -> None:
    frames, code = ENDS[what]
    async with Browser(gateway.stream, compression="deflate") as bystander:
        await bystander.subscribe("bystander")
        with RawWebSocket(gateway.port, OFFER) as raw:
            # What is left unread of too much can take the close frame with it, on its way.
            with contextlib.suppress(*[ConnectionError] * what.startswith("too much")):
                raw.send(frames)
                assert raw.closed_with()[0] == code
                raw.send(client_frame(FINAL | CLOSE, code.to_bytes(2)))
        raw_nats.publish("bystander", b"1")
        assert await bystander.next() == {"subject": "bystander", "data": 1}
    no_bug(gateway)


@pytest.mark.parametrize("offer", [None, "permessage-deflate; server_max_window_bits=8"])
def test_without_an_agreement_the_mark_is_an_error(gateway: Gateway, offer: str | None) -> None:
    with RawWebSocket(gateway.port, offer) as raw:
        raw.send(client_frame(FIRST, PACKED))
        assert raw.closed_with()[0] == 1002
    no_bug(gateway)


def test_a_bomb_is_told_and_counted(gateway: Gateway) -> None:
    counted = 'bridge_refused_total{reason="too_large"}'
    before = gateway.figures()[counted]
    with RawWebSocket(gateway.port, OFFER) as raw:
        raw.send(ENDS["a bomb"][0])
        assert raw.closed_with() == (1009, f"a message is inflated to more than {MOST} bytes")
    assert gateway.figures()[counted] == before + 1


def peak(service: Gateway) -> int:
    """Return the most memory (RSS) that the service has had, in bytes."""
    with open(f"/proc/{service.ps().pid}/status") as status:
        (line,) = (line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not psutil.LINUX, reason="the peak is read from /proc")
def test_thousands_of_bombs_at_once_take_the_memory_of_one(gateway: Gateway) -> None:
    bomb = client_frame(FIRST, packed(b" " * MOST))
    assert len(bomb) < 100
    with RawWebSocket(gateway.port, OFFER) as raw:
        raw.send(client_frame(FIRST, PACKED))
        assert is_answered(raw)
        before = peak(gateway)
        raw.send(bomb * 3000)
        assert raw.closed_with()[0] in (4029, 4400)
    assert peak(gateway) - before < 16 * MIB  # all of them are 188 MiB
    no_bug(gateway)


def test_a_connection_that_has_sent_compressed_requests_keeps_no_inflater(
    nats_server: NatsServer, tmp_path
) -> None:
    def growth(offer: str | None) -> int:
        """Return the bytes that each connection to a new service takes."""
        service = Gateway(nats_server.url, log=tmp_path / "log")
        with running(service), contextlib.ExitStack() as stack:
            for number in range(400):
                if number == 100:
                    before = service.ps().memory_info().rss
                raw = stack.enter_context(RawWebSocket(service.port, offer))
                raw.send(client_frame(FIRST, PACKED) if offer else READ["not compressed"])
                assert is_answered(raw)
            return int((service.ps().memory_info().rss - before) / 300)

    assert growth(OFFER) - growth(None) < 6 * KIB  # an inflater takes 13 KiB and more
