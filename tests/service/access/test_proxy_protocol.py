"""A balancer that says in front of each connection where it comes from."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import Authority
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.secure import Secure, trusting
from tests.support.servers import Gateway, NatsServer, running, until
from tests.unit.web.test_proxy_protocol import V1, v2

BALANCER, STRANGER = "127.0.0.2", "127.0.0.1"
SOURCE = "203.0.113.9"
HEADERS = [V1, v2(), v2("2001:db8::9", family=0x21, more=b"\x04\x00\x02hi")]
HEALTH = head("GET /livez", {"Host": "x", "Connection": "close"})


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("balancer") / "log"
    settings = {"trusted_proxies": BALANCER, "max_connections_per_address": 2}
    with running(Gateway(nats_server.url, log=log, request_timeout=1, **settings)) as gateway:
        yield gateway


def lines(service: Gateway, part: str) -> list[str]:
    return [each for each in service.output().splitlines() if part in each]


@pytest.mark.parametrize("header", HEADERS)
def test_it_is_taken_from_a_trusted_balancer(service: Gateway, header: bytes) -> None:
    assert exchange(service.port, header + HEALTH, source=BALANCER)[0] == 200
    assert len(until(lambda: lines(service, "speaks the PROXY protocol"))) == 1


def test_the_connection_is_one_of_the_caller_behind_it(service: Gateway) -> None:
    upgrade = head("GET /stream", {"Host": "x", **UPGRADE, "X-Forwarded-For": "192.0.2.66"})
    with contextlib.ExitStack() as stack:

        def connect(header: bytes) -> int:
            raw = socket.create_connection(("127.0.0.1", service.port), 20, (BALANCER, 0))
            stack.enter_context(raw).sendall(header + upgrade)
            return int(raw.recv(65536).split(b" ")[1])

        assert [connect(V1) for _ in range(3)] == [101, 101, 503]
        assert connect(V1.replace(b"203.0.113.9", b"203.0.113.10")) == 101
        assert connect(b"") == 101
    assert len(until(lambda: lines(service, f"from {SOURCE}"))) >= 2
    # What it says of itself counts only without the header, from the balancer.
    assert len(until(lambda: lines(service, "opened by anyone from 192.0.2.66"))) == 1
    until(lambda: service.figures()["bridge_connections"] == 0)
    assert exchange(service.port, V1 + HEALTH, source=BALANCER)[0] == 200


def test_it_may_come_byte_by_byte(service: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 20, (BALANCER, 0)) as raw:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(len(V1)):
            raw.sendall(V1[number : number + 1])
            time.sleep(0.002)
        raw.sendall(HEALTH)
        assert raw.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("begun", [b"", b"PROXY", V1, v2()[:14]])
def test_a_balancer_that_says_no_more_is_cut(service: Gateway, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", service.port), 20, (BALANCER, 0)) as raw:
        raw.sendall(begun)
        began = time.monotonic()
        assert raw.recv(65536) == b""
        assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("source", "header", "reason"),
    [
        (STRANGER, V1, "name it in TRUSTED_PROXIES"),
        (STRANGER, v2(), "name it in TRUSTED_PROXIES"),
        (BALANCER, b"PROXY TCP4 nobody nowhere 1 2\r\n", "it names no address"),
        (BALANCER, v2(command=0x31), "its version is unknown"),
    ],
)
def test_what_does_not_count_is_no_request_and_a_line_says_why(
    nats_server: NatsServer, log: Path, source: str, header: bytes, reason: str
) -> None:
    with running(Gateway(nats_server.url, log=log, trusted_proxies=BALANCER)) as service:
        for _ in range(3):
            assert exchange(service.port, header + HEALTH, source=source)[0] == 400
        (line,) = until(lambda: lines(service, "begins with PROXY"))
        assert source in line and reason in line
        assert "Traceback" not in service.output()


@pytest.mark.parametrize("header", HEADERS)
def test_it_comes_before_the_handshake_of_tls(
    nats_server: NatsServer, tmp_path: Path, header: bytes
) -> None:
    authority = Authority(tmp_path / "ca")
    service = Secure(nats_server.url, tmp_path, trusted_proxies=BALANCER)
    service.install(authority)
    with running(service):
        with socket.create_connection(("127.0.0.1", service.port), 20, (BALANCER, 0)) as raw:
            raw.sendall(header)
            with trusting(authority).wrap_socket(raw, server_hostname="127.0.0.1") as secure:
                secure.sendall(HEALTH)
                assert secure.recv(65536).startswith(b"HTTP/1.1 200 ")
        tls = trusting(authority)
        assert exchange(service.port, HEALTH, source=BALANCER, tls=tls)[0] == 200
        assert exchange(service.port, HEALTH, source=STRANGER, tls=tls)[0] == 200
        with socket.create_connection(("127.0.0.1", service.port), 20, (STRANGER, 0)) as raw:
            raw.sendall(header + HEALTH)
            assert b"HTTP/1.1 200" not in raw.recv(65536)
