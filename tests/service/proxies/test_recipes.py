"""Each recipe of docs/proxies.md, run by the real proxy in front of a real gateway."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from websockets.exceptions import InvalidStatus

from tests.support import reverse_proxies
from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.http_reader import GZIP, SSE, Unzipped
from tests.support.raw_nats import RawNats
from tests.support.reverse_proxies import NAME, ReverseProxy, needs
from tests.support.secure import Secure, trusting
from tests.support.servers import Gateway, NatsServer, eventually, running, until

CALLER = "127.0.0.2"
"""Whoever connects; the proxy itself is 127.0.0.1."""
BELOW = "/nats"
LIES = {"X-Forwarded-For": "203.0.113.66", "X-Forwarded-Port": "1", "Forwarded": "for=203.0.113.66"}
"""What a caller says of itself."""
WRITERS = [reverse_proxies.nginx, reverse_proxies.caddy, reverse_proxies.traefik]
WRITERS += [reverse_proxies.haproxy]
PROXIES = [
    pytest.param((write, below), id=f"{write.__name__}{below}", marks=needs(write.__name__))
    for write in WRITERS
    for below in ("", BELOW)
]


class World(NamedTuple):
    """A proxy, the gateway behind it, and who has certified the proxy."""

    proxy: ReverseProxy
    gateway: Gateway
    trust: ssl.SSLContext

    def browser(self, **options: Any) -> Browser:
        """Return a browser on the page that the proxy serves."""
        options = {"origin": self.proxy.origin, **options}
        return Browser(
            f"wss://{NAME}:{self.proxy.port}{self.proxy.below}/stream",
            host="127.0.0.1",
            port=self.proxy.port,
            local_addr=(CALLER, 0),
            ssl=self.trust,
            server_hostname=NAME,
            **options,
        )

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """Ask the proxy for a path, and read the answer."""
        connection = self.connection()
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.text = response.read().decode()
        connection.close()
        return response

    def connection(self) -> http.client.HTTPSConnection:
        """Return one to the proxy."""
        connection = http.client.HTTPSConnection(
            NAME, self.proxy.port, timeout=20, context=self.trust
        )
        connection._create_connection = lambda address, *rest: _to_loopback(address[1])
        return connection

    @property
    def is_ready(self) -> bool:
        """Whether the proxy has its certificate, and knows that the gateway is there."""
        try:
            return self.get(f"{self.proxy.below}/").status == 200
        except OSError:
            return False

    def opened(self) -> list[str]:
        """Return what the log says of connections that were let in."""
        return [line for line in self.gateway.output().splitlines() if " opened by " in line]


def _to_loopback(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20, (CALLER, 0))


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, nats_server: NatsServer, tmp_path_factory
) -> Iterator[World]:
    write, below = request.param
    folder = tmp_path_factory.mktemp("proxy")
    authority = Authority(folder / "ca")
    cert, key = authority.issue(NAME)
    proxy = ReverseProxy(write, folder, 0, cert, key, below=below)
    settings = {"trusted_proxies": "127.0.0.1", "allowed_origins": proxy.origin}
    gateway = Gateway(nats_server.url, log=folder / "log", **settings)
    proxy.target = gateway.port
    with running(gateway):
        try:
            proxy.start()
            world = World(proxy, gateway, trusting(authority))
            until(lambda: world.is_ready)
            yield world
        finally:
            proxy.stop()


@pytest.mark.parametrize("world", PROXIES, indirect=True)
async def test_messages_come_through_the_proxy(world: World, raw_nats: RawNats) -> None:
    async with world.browser() as browser:
        await browser.subscribe("proxied")
        raw_nats.publish("proxied", b"1")
        assert await browser.next() == {"subject": "proxied", "data": 1}


@pytest.mark.parametrize("headers", [SSE, SSE | GZIP], ids=["plain", "gzip"])
@pytest.mark.parametrize("world", PROXIES, indirect=True)
def test_events_come_through_the_proxy_one_by_one(
    world: World, raw_nats: RawNats, headers: dict[str, str]
) -> None:
    connection = world.connection()
    path = f"{world.proxy.below}/stream?subjects=proxied.events&limit=2"
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream")
    assert response.headers["Content-Encoding"] == headers.get("Accept-Encoding")
    body = Unzipped(response) if headers.get("Accept-Encoding") else response
    for number in (1, 2):
        while b'"action":"subscribe"' not in (line := body.readline()):
            if line.startswith(b'data: {"subject"'):
                break
        raw_nats.publish("proxied.events", b'["%b", %d]' % (b"x" * 1000, number))
    assert b'x", 2]}\n' in body.read()
    connection.close()


@pytest.mark.parametrize("world", PROXIES, indirect=True)
async def test_the_proxy_says_who_comes_whatever_a_caller_says(world: World) -> None:
    before = len(world.opened())
    async with world.browser(additional_headers=LIES):
        await eventually(lambda: len(world.opened()) > before)
        assert world.opened()[-1].endswith(f" from {CALLER}")


@pytest.mark.parametrize("world", PROXIES, indirect=True)
async def test_a_foreign_page_is_refused_through_the_proxy(world: World) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with world.browser(origin="https://evil.example"):
            pass
    assert refused.value.response.status_code == 403
    assert world.proxy.origin.encode() in refused.value.response.body


@pytest.mark.parametrize("world", PROXIES, indirect=True)
def test_the_proxy_serves_browsers_and_closes_the_rest(world: World) -> None:
    below = world.proxy.below
    assert world.get(f"{below}/").text.startswith("<!doctype html>")
    assert world.get(f"{below}/page/js/client.js").status == 200
    for path in ("/metrics", "/connections", "/livez", "/readyz"):
        assert world.get(f"{below}{path}").status == 404, path
        assert world.get(path).status == 404, path


@pytest.mark.parametrize("world", [each for each in PROXIES if BELOW in each.id], indirect=True)
def test_the_sub_path_leads_to_its_slash_and_nowhere_else(world: World) -> None:
    answer = world.get(BELOW)
    assert answer.status in (301, 302, 307, 308)
    assert answer.headers["Location"] in (f"{BELOW}/", f"{world.proxy.origin}{BELOW}/")
    for path in ("/", "/natsy", "/nats//evil.example", "//evil.example/nats", "/nats/nats"):
        assert world.get(path).status in (400, 404), path


@needs("haproxy")
async def test_a_balancer_of_tcp_says_where_connections_come_from(
    nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca")
    cert, key = authority.issue(NAME)
    proxy = ReverseProxy(reverse_proxies.haproxy_tcp, tmp_path, 0, cert, key)
    settings = {"trusted_proxies": "127.0.0.1", "allowed_origins": proxy.origin}
    gateway = Secure(nats_server.url, tmp_path, max_connections_per_address=2, **settings)
    gateway.cert, gateway.key = cert, key
    gateway._environment |= {"TLS_CERT": str(cert), "TLS_KEY": str(key)}
    proxy.target = gateway.port
    with running(gateway):
        try:
            await asyncio.to_thread(proxy.start)
            world = World(proxy, gateway, trusting(authority))
            lie = {"X-Forwarded-For": "203.0.113.66"}
            async with world.browser(additional_headers=lie) as browser, world.browser():
                await browser.subscribe("passed.on")
                raw_nats.publish("passed.on", b"1")
                assert await browser.next() == {"subject": "passed.on", "data": 1}
                await eventually(lambda: len(world.opened()) == 2)
                assert all(line.endswith(f" from {CALLER}") for line in world.opened())
                with pytest.raises((OSError, EOFError, InvalidStatus)):
                    async with world.browser():
                        pass
            assert "127.0.0.1 speaks the PROXY protocol" in gateway.output()
        finally:
            proxy.stop()
