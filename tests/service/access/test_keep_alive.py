"""How long a connection may be idle, and how long a request on it may take: two limits."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, head
from tests.support.servers import Gateway, NatsServer, running

REQUEST_SECONDS, IDLE_SECONDS = 0.6, 3.0
ASK = head("GET /livez", {"Host": "x"})
POST = head("POST /stream", {"Host": "x", "Content-Length": "2"})


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("idle") / "log"
    settings = {"request_timeout": REQUEST_SECONDS, "keepalive_timeout": IDLE_SECONDS}
    with running(Gateway(nats_server.url, log=log, **settings)) as gateway:
        yield gateway


@pytest.fixture
def raw(service: Gateway) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", service.port), 20) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield raw


def answered(raw: socket.socket, request: bytes) -> bool:
    raw.sendall(request)
    return raw.recv(65536).startswith(b"HTTP/1.1 ")


def too_late(service: Gateway) -> float:
    return service.figures()['bridge_refused_total{reason="too_late"}']


def seconds_until_the_end(raw: socket.socket) -> float:
    began = time.monotonic()
    while raw.recv(65536):
        pass
    return time.monotonic() - began


@pytest.mark.parametrize("first", [ASK, POST + b"{}", ASK + ASK])
def test_a_connection_is_kept_longer_than_a_request_may_take(
    raw: socket.socket, service: Gateway, first: bytes
) -> None:
    before = too_late(service)
    assert answered(raw, first)
    for _ in range(2):
        time.sleep(2.2 * REQUEST_SECONDS)
        while_idle = answered(raw, ASK)
        assert while_idle
    assert too_late(service) == before


def test_a_connection_that_is_idle_for_long_ends(raw: socket.socket, service: Gateway) -> None:
    before = too_late(service)
    assert answered(raw, ASK)
    assert IDLE_SECONDS - 0.5 < seconds_until_the_end(raw) < IDLE_SECONDS + 5
    assert too_late(service) == before


def test_a_first_request_that_does_not_come_is_not_waited_for(
    raw: socket.socket, service: Gateway
) -> None:
    before = too_late(service)
    assert seconds_until_the_end(raw) < IDLE_SECONDS
    assert too_late(service) == before + 1


@pytest.mark.parametrize("requests", [0, 1, 3])
def test_a_request_that_comes_drop_by_drop_is_cut_however_many_came_before(
    raw: socket.socket, service: Gateway, requests: int
) -> None:
    before = too_late(service)
    for _ in range(requests):
        assert answered(raw, ASK)
    time.sleep(0.5 * REQUEST_SECONDS)
    began = time.monotonic()
    raw.sendall(ASK[:-2] + b"X: ")
    with pytest.raises(ConnectionError):
        for _ in range(200):
            raw.sendall(b"x")
            time.sleep(0.05)
    assert time.monotonic() - began < IDLE_SECONDS - 1, "it was cut for being idle"
    assert too_late(service) == before + 1


def test_a_request_has_its_time_from_its_own_first_byte(
    raw: socket.socket, service: Gateway
) -> None:
    for _ in range(8):
        time.sleep(0.3 * REQUEST_SECONDS)
        raw.sendall(ASK[:20])
        time.sleep(0.3 * REQUEST_SECONDS)
        assert answered(raw, ASK[20:])


def test_a_body_that_does_not_come_is_answered_with_408(raw: socket.socket) -> None:
    assert answered(raw, ASK)
    raw.sendall(POST + b"{")
    assert raw.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_a_websocket_is_not_bound_by_either(raw: socket.socket) -> None:
    raw.sendall(head("GET /stream", {"Host": "x", **UPGRADE}))
    assert raw.recv(65536).startswith(b"HTTP/1.1 101 ")
    raw.settimeout(0.1)
    ping = b"\x89\x80\x00\x00\x00\x00"
    for _ in range(int((IDLE_SECONDS + 1.5) / 0.25)):
        time.sleep(0.15)
        raw.sendall(ping)
        try:
            assert raw.recv(65536)
        except TimeoutError:
            pass
    raw.settimeout(5)
    raw.sendall(ping)
    assert raw.recv(65536)


async def test_a_request_behind_one_that_takes_long_is_answered_too(
    tmp_path: Path,
) -> None:
    settings = {"request_timeout": REQUEST_SECONDS, "keepalive_timeout": IDLE_SECONDS}
    with (
        running(NatsServer(tmp_path)) as server,
        running(Gateway(server.url, log=tmp_path / "log", **settings)) as gateway,
    ):
        async with Browser(gateway.stream) as browser:
            body = json.dumps({"subjects": ["a"], "connection_id": browser.connection_id}).encode()
            length = str(len(body))
            slow = head("POST /stream", {"Host": "x", "Content-Length": length}) + body
            server.freeze()  # so that it is answered after two seconds
            with socket.create_connection(("127.0.0.1", gateway.port), 20) as raw:
                raw.sendall(slow)
                await asyncio.sleep(0.1)
                raw.sendall(ASK)
                answers = b""
                while answers.count(b"HTTP/1.1 ") < 2:
                    more = await asyncio.to_thread(raw.recv, 65536)
                    assert more, answers
                    answers += more
            server.thaw()
    assert b"nats_down" in answers.partition(b"HTTP/1.1 200 OK")[2]
