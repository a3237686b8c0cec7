"""Anybody's nonsense costs its own connection at most: never a traceback, a 500 or a bug figure."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.access.test_limits import goes_on
from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, running, until

TEXT, CONTINUATION, PING, PONG = 1, 0, 9, 10
FLOOD, PROTOCOL_ERROR = 4029, 1002


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True) -> bytes:
    first, second = opcode | (0x80 if final else 0), len(payload) | (0x80 if masked else 0)
    return bytes([first, second]) + (bytes(4) if masked else b"") + payload


@contextlib.contextmanager
def upgraded(service: Gateway, at_once: bytes = b"") -> Iterator[socket.socket]:
    """Open a WebSocket by hand; `at_once` comes in one piece with the handshake."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=PATIENCE) as raw:
        raw.sendall(head("GET /stream", {"Host": "127.0.0.1", **UPGRADE}) + at_once)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += raw.recv(1)
        assert answer.startswith(b"HTTP/1.1 101 ")
        yield raw


def closed_with(raw: socket.socket) -> tuple[int, str]:
    """Read to the end; return the code and the reason of the close frame."""
    data = b""
    with contextlib.suppress(ConnectionError):
        while piece := raw.recv(65536):
            data += piece
    begin = data.rindex(b"\x88")
    return int.from_bytes(data[begin + 2 : begin + 4]), data[begin + 4 :].decode()


def no_bug(service: Gateway) -> None:
    figures, output = service.figures(), service.output()
    assert figures['bridge_connections_closed_total{reason="bug"}'] == 0
    assert "Traceback" not in output
    assert " ERROR " not in output


FLOODS = {
    "pings": frame(PING),
    "pings with payloads": frame(PING, b"x" * 125),
    "pongs": frame(PONG),
    "empty fragments": frame(CONTINUATION, final=False),
    "first fragments": frame(TEXT, final=False),
    "unknown control frames": frame(11),
}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_frames_that_are_no_requests_ends_its_connection(
    kind: str, gateway: Gateway, raw_nats: RawNats
) -> None:
    def flood() -> tuple[int, str]:
        with upgraded(gateway) as raw:
            if kind == "empty fragments":
                raw.sendall(frame(TEXT, b"{", final=False))
            with contextlib.suppress(ConnectionError):
                raw.sendall(FLOODS[kind] * 20_000)
            return closed_with(raw)

    async with Browser(gateway.stream) as bystander:
        await bystander.subscribe("bystander")
        flooding = asyncio.create_task(asyncio.to_thread(flood))
        slowest = max([await goes_on(bystander, raw_nats, number) for number in range(20)])
        code, reason = await flooding
    assert slowest < 1
    if kind in ("first fragments", "unknown control frames"):
        assert code in (PROTOCOL_ERROR, FLOOD)  # what aiohttp says of the second of them, too
    else:
        assert (code, reason) == (FLOOD, "too many control frames or fragments")
    no_bug(gateway)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("opcode", [TEXT, PING, 8])
def test_a_frame_without_a_mask_ends_its_connection(
    opcode: int, at_once: bool, gateway: Gateway
) -> None:
    bad = frame(opcode, b'{"subjects":"a"}' if opcode == TEXT else b"", masked=False)
    with upgraded(gateway, bad if at_once else b"") as raw:
        if not at_once:
            raw.sendall(bad)
        assert closed_with(raw) == (PROTOCOL_ERROR, "a browser masks its frames")
    no_bug(gateway)


def test_a_few_pings_are_answered_each(gateway: Gateway) -> None:
    with upgraded(gateway) as raw:
        data = b""
        while b"connection_id" not in data:
            data += raw.recv(65536)
        raw.sendall(b"".join(frame(PING, b"%03d" % number) for number in range(100)))
        want = b"".join(frame(PONG, b"%03d" % number, masked=False) for number in range(100))
        data = b""
        while len(data) < len(want):
            data += raw.recv(65536)
    assert data == want


def test_who_pings_and_vanishes_is_no_bug(gateway: Gateway) -> None:
    before = gateway.figures()['bridge_connections_closed_total{reason="lost"}']
    for _ in range(20):
        with upgraded(gateway) as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raw.sendall(frame(PING) * 500)
    until(lambda: gateway.figures()["bridge_connections"] == 0)
    assert gateway.figures()['bridge_connections_closed_total{reason="lost"}'] == before + 20
    no_bug(gateway)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-gzip"])
@pytest.mark.parametrize("path", ["/stream", "/", "/metrics"])
def test_a_body_that_is_not_what_it_says_is_400_at_worst(
    encoding: str, path: str, gateway: Gateway
) -> None:
    headers = {"Host": "127.0.0.1", "Content-Encoding": encoding, "Content-Length": "5"}
    status, _ = exchange(gateway.port, head(f"POST {path}", headers) + b"hello")
    assert 400 <= status < 500
    no_bug(gateway)


@pytest.mark.parametrize("way", ["frame", "post"])
async def test_a_request_nested_as_deep_as_can_be_read_is_refused(
    way: str, gateway: Gateway
) -> None:
    texts = ['{"subjects":"a","action":' + "[" * n + "1" + "]" * n + "}" for n in range(960, 1000)]
    if way == "post":
        for text in texts:
            size = {"Host": "127.0.0.1", "Content-Length": str(len(text))}
            request = head("POST /stream", size) + text.encode()
            assert (await asyncio.to_thread(exchange, gateway.port, request))[0] == 400
    else:
        async with Browser(gateway.stream) as browser:
            for text in texts:
                assert (await browser.ask(text))["code"] == "bad_request"
    no_bug(gateway)


@pytest.mark.parametrize("token", [False, True])
def test_floods_before_the_token_end_their_connection(
    token: bool, nats_server: NatsServer, log: Path
) -> None:
    tokens = log.parent / "tokens"
    tokens.write_text('{"name": "a", "token": "%s"}' % ("t" * 20))
    with running(Gateway(nats_server.url, log=log, tokens_file=tokens)) as service:
        with upgraded(service) as raw:
            if token:
                raw.sendall(frame(TEXT, b'{"token":"%s"}' % (b"t" * 20)))
            with contextlib.suppress(ConnectionError):
                raw.sendall(frame(PING) * 20_000)
            assert closed_with(raw)[0] == FLOOD
        until(lambda: service.figures()["bridge_connections"] == 0)
        no_bug(service)
