"""Who connects again and again, or floods and comes back, waits; nobody else notices."""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.service.access.test_limits import CROWD, OTHER, goes_on, websocket
from tests.service.browsers.test_nonsense import TEXT, frame
from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, running
from tests.timing import Stopwatch

AT_ONCE = 600
"""Where 200 connections of one address may be open."""
PLENTY = 1000
SENTENCE = "At most 200 connections a minute from one address, please; a flood counts as 10.\n"
TOO_SOON = 'bridge_refused_total{reason="too_soon"}'


def few(nats: NatsServer, log, **settings: object) -> Gateway:
    return Gateway(nats.url, log=log, max_connections_per_address=200, **settings)


def refused(service: Gateway) -> str:
    """Return what the crowd is told once it comes too soon."""
    for _ in range(PLENTY):
        watch = Stopwatch()
        status, text = websocket(service.port, CROWD)
        if status == 503:
            assert watch.seconds > 0.9, "it could be back at once"
            return text
        assert status == 101
    raise AssertionError("nobody is refused")


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 101), ({"Origin": "http://evil.example"}, 403)]
)
async def test_who_comes_again_and_again_waits_and_others_do_not_notice(
    headers: dict[str, str], status: int, nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    with running(few(nats_server, log)) as service:
        async with Browser(service.stream, local_addr=(OTHER, 0)) as bystander:
            await bystander.subscribe("bystander")
            for number in range(AT_ONCE):
                assert websocket(service.port, CROWD, **headers)[0] == status
                if number % 50 == 0:
                    await goes_on(bystander, raw_nats, number)
            text = refused(service)
            assert "\r\nRetry-After: 1\r\n" in text
            assert text.endswith(SENTENCE)
            assert service.figures()[TOO_SOON] == 1
            assert websocket(service.port, OTHER)[0] == 101
            request = head("GET /livez", {"Host": "x"})
            assert exchange(service.port, request, source=CROWD)[0] == 200
            await goes_on(bystander, raw_nats, AT_ONCE)
        output = service.output()
    assert output.count(f"refused {CROWD} (1 in the last minute): its connections come too") == 1
    assert "Traceback" not in output


@pytest.mark.parametrize("request_", ['{"action": "ping"}', "{"])
def test_a_flooder_that_comes_back_waits_ten_times_sooner(
    request_: str, nats_server: NatsServer, log
) -> None:
    settings = {"requests_per_second": 0.01, "request_burst": 2, "bad_requests_per_minute": 6}
    floods = 0
    with running(few(nats_server, log, **settings)) as service:
        while flood(service, request_):
            floods += 1
            assert floods < AT_ONCE / 2, "a flood costs no more than a handshake"
        assert refused(service).endswith(SENTENCE)
    assert floods > 50


def flood(service: Gateway, request: str) -> bool:
    """Flood until the close frame comes; False if the gateway does not let it in."""
    with socket.create_connection(("127.0.0.1", service.port), PATIENCE, (CROWD, 0)) as raw:
        raw.sendall(head("GET /stream", {"Host": f"127.0.0.1:{service.port}", **UPGRADE}))
        data = b""
        while b"connection_id" not in data:
            data += raw.recv(65536)
            if data.startswith(b"HTTP/1.1 503 "):
                return False
        with contextlib.suppress(ConnectionError):
            raw.sendall(7 * frame(TEXT, request.encode()))
            while b"flood" not in data and b"too many bad requests" not in data:
                piece = raw.recv(65536)
                assert piece
                data += piece
    return True


def test_behind_a_proxy_each_address_has_its_own_rate(nats_server: NatsServer, log) -> None:
    with running(few(nats_server, log, trusted_proxies=CROWD)) as service:

        def status(address: str) -> int:
            return websocket(service.port, CROWD, X_Forwarded_For=address)[0]

        assert {status(f"1.1.1.{n % 2}") for n in range(2 * AT_ONCE)} == {101}
        for _ in range(PLENTY):
            if status("1.1.1.1") == 503:
                break
        assert service.figures()[TOO_SOON] == 1


async def test_a_page_can_read_that_it_comes_too_soon(nats_server: NatsServer, log) -> None:
    page = "http://page.example"
    with running(few(nats_server, log, allowed_origins=page)) as service:
        request = head("GET /stream", {"Host": "x", "Origin": page})
        for _ in range(PLENTY):
            status, text = exchange(service.port, request, source=CROWD)
            if status == 503:
                break
        assert text.endswith(SENTENCE)
        assert f"Access-Control-Allow-Origin: {page}\r\n" in text
