"""What listens where a NATS server should: a real one that wants TLS first, is full or slow to
greet, or something else. Each is told from the others by one line."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bridge.nats_link import failure, greeting
from bridge.nats_link.reconnect import NO_WORD
from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.proxy import Proxy
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, free_port, http, running, until
from tests.support.signing_in import SIGNED, USER, is_refused, signs_in
from tests.timing import within

READY = 6.0
"""Seconds, as promised."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


def tls_of(server: NatsServer | Proxy) -> str:
    return server.url.replace("nats://", "tls://")


@pytest.mark.parametrize("first", ["true", "auto", '"300ms"', '"1500ms"'])
def test_a_server_that_wants_tls_first_is_found_out(
    first: str, authority: Authority, tmp_path: Path, log: Path
) -> None:
    config = USER + authority.config("127.0.0.1", f"handshake_first: {first}")
    with running(NatsServer(tmp_path, config)) as server:
        signs_in(server, log, tls_of(server), nats_tls_ca=authority.ca, **SIGNED)
        signs_in(server, log, nats_tls_ca=authority.ca, **SIGNED)  # a CA asks for TLS as well


@pytest.mark.timing
async def test_a_server_that_wants_tls_first_is_found_again(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    server = NatsServer(tmp_path, authority.config("127.0.0.1", "handshake_first: true"))
    settings = {"nats_tls_ca": authority.ca}
    with running(server), running(Gateway(tls_of(server), log=log, **settings)) as service:
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            server.stop()
            assert await browser.next() == {"status": "nats_down"}
            server.start()
            with within(greeting.SILENCE_SECONDS, "a server that wants TLS first is back: told"):
                assert await browser.next() == {"status": "nats_up", "gap": True}
            # And where the server has been set up otherwise meanwhile.
            server.stop()
            assert await browser.next() == {"status": "nats_down"}
            server.configure(authority.config())
            server.start()
            assert await browser.next() == {"status": "nats_up", "gap": True}


def test_a_context_of_the_nats_command_is_all_it_needs(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    config = USER + authority.config("127.0.0.1", "handshake_first: true")
    folder = tmp_path / "nats" / "context"
    folder.mkdir(parents=True)
    with running(NatsServer(tmp_path, config)) as server:
        held = {"url": server.url, "user": "somebody", "password": "planted@secret"}
        held |= {"ca": str(authority.ca), "tls_first": True}
        (folder / "prod.json").write_text(json.dumps(held))
        settings = {"xdg_config_home": tmp_path, "nats_context": "prod"}
        with running(Gateway(None, log=log, **settings)) as service:
            until(lambda: f"NATS  {tls_of(server)} (connected)" in service.output())
        assert "planted" not in service.output()


def test_a_balancer_may_make_tls_for_a_server_that_knows_nothing_of_it(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    with (
        running(NatsServer(tmp_path, USER)) as server,
        running(Proxy(server.port, tls=context)) as it,
    ):
        signs_in(server, log, tls_of(it), nats_tls_ca=authority.ca, **SIGNED)
        is_refused(server, log, "nats_down", "certificate verify failed", tls_of(it), **SIGNED)


def test_tls_first_shows_nothing_to_a_server_with_another_certificate(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    config = USER + Authority(tmp_path / "other").config("127.0.0.1", "handshake_first: true")
    with running(NatsServer(tmp_path, config)) as server:
        said = "certificate verify failed"
        settings = {"nats_tls_ca": authority.ca, **SIGNED}
        is_refused(server, log, "nats_down", said, tls_of(server), **settings)


def test_a_server_that_is_slow_to_greet_is_not_left_alone_for_want_of_tls_first(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, authority.config())) as server:
        proxy = Proxy(server.port)
        proxy.hesitation = greeting.SILENCE_SECONDS + 0.4
        with running(proxy):
            signs_in(server, log, tls_of(proxy), nats_tls_ca=authority.ca)
        assert greeting.NO_TLS in log.read_text()


def test_plain_text_to_a_server_that_wants_tls_first_is_told_what_to_write(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    config = USER + authority.config("127.0.0.1", "handshake_first: true")
    with running(NatsServer(tmp_path, config)) as server:
        is_refused(server, log, "nats_down", greeting.WANTS_TLS.lower(), **SIGNED)


class Silent:
    """Takes connections; says `greeting`, or nothing."""

    def __init__(self, says: bytes = b"", then_ends: bool = False) -> None:
        self._says, self._then_ends = says, then_ends
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"nats://127.0.0.1:{self._listener.getsockname()[1]}"
        self._taken: list[socket.socket] = []

    def _take(self) -> None:
        while True:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return
            taken.sendall(self._says)
            if self._then_ends:
                taken.close()
            else:
                self._taken.append(taken)

    @contextmanager
    def runs(self) -> Iterator[None]:
        thread = threading.Thread(target=self._take)
        thread.start()
        yield
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        thread.join()
        for each in self._taken:
            each.close()


@pytest.mark.parametrize("scheme", ["nats", "tls"])
def test_the_port_for_monitoring_is_told_from_that_for_clients(
    scheme: str, nats_server: NatsServer, log: Path
) -> None:
    said = greeting.WEB_SERVER if scheme == "nats" else greeting.NO_TLS
    refused(log, f"{scheme}://127.0.0.1:{nats_server.monitor_port}", said)


def test_the_port_for_websockets_is_told_from_that_for_clients(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    for scheme, options in (("nats", "no_tls: true"), ("tls", authority.config())):
        port = free_port()
        config = f'websocket {{ listen: "127.0.0.1:{port}"\n{options} }}'
        with running(NatsServer(tmp_path, config)):
            log.unlink(missing_ok=True)
            settings = {"nats_tls_ca": authority.ca} if scheme == "tls" else {}
            refused(log, f"{scheme}://127.0.0.1:{port}", greeting.WEB_SERVER, **settings)


@pytest.mark.parametrize("scheme", ["nats", "tls"])
@pytest.mark.parametrize(
    ("says", "ends", "said"),
    [
        (b"", False, greeting.SILENT),
        (b"", True, greeting.HANGS_UP),
        (b"SSH-2.0-OpenSSH_9.6\r\n", False, greeting.SOMETHING_ELSE),
        (b"-ERR unknown command\r\n", False, "nats: unknown command"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", True, greeting.WEB_SERVER),
        (b"x" * 100_000, False, greeting.SOMETHING_ELSE),
        (b"INFO planted\r\n", False, "json parse error"),
    ],
    ids=["silent", "ends", "ssh", "redis", "http", "no line", "no json"],
)
def test_something_else_than_a_nats_server_is_named(
    says: bytes, ends: bool, said: str, scheme: str, log: Path
) -> None:
    listener = Silent(says, ends)
    with listener.runs():
        refused(log, listener.url.replace("nats", scheme), said)


def test_a_server_that_greets_and_then_says_nothing_is_told_from_one_that_never_greets(
    log: Path,
) -> None:
    listener = Silent(b'INFO {"server_id":"x","version":"2.12.0","max_payload":1048576}\r\n')
    with listener.runs():
        refused(log, listener.url, NO_WORD)


def refused(log: Path, url: str, said: str, *, ready: bool = False, **settings: object) -> None:
    """Fail unless a gateway is up, not `ready`, and says why, once, with the address."""
    service = Gateway(url, log=log, **settings)
    service.launch()
    try:
        until(lambda: said in service.output())
        until(lambda: http(f"{service.url}/readyz")[0] == (200 if ready else 503))
    finally:
        assert service.stop() == 0
    lines = [line for line in service.output().splitlines() if said in line]
    assert len(lines) == 1 and f"NATS at {url}: " in lines[0], service.output()
    for trace in ("Traceback", "destroyed", "ignored", "planted"):
        assert trace not in service.output()


@pytest.mark.parametrize("part", ["cluster { name: c, ", "leafnodes { "])
def test_a_port_for_other_servers_is_named_as_one(part: str, tmp_path: Path, log: Path) -> None:
    port = free_port()
    with running(NatsServer(tmp_path, f'{part} listen: "127.0.0.1:{port}" }}')):
        # Routes are told of the ports for clients, too, and so the gateway finds one.
        named = part.startswith("cluster")
        refused(log, f"nats://127.0.0.1:{port}", "that port is for other servers", ready=named)


def test_a_server_that_is_full_is_named_as_that_and_used_once_there_is_room(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, "max_connections: 1")) as server:
        service = Gateway(server.url, log=log)
        with RawNats(server.port):
            service.launch()
            until(lambda: "it is full, its max_connections can be raised" in service.output())
            assert http(f"{service.url}/readyz") == (503, '{"status": "nats_down"}')
        try:
            with within(READY, "a NATS server has room again: ready"):
                until(lambda: http(f"{service.url}/readyz")[0] == 200)
        finally:
            assert service.stop() == 0


async def test_addresses_that_a_cluster_names_and_nobody_reaches_hold_up_nobody(
    tmp_path: Path, log: Path
) -> None:
    """The cluster names ports where nobody answers, that are silent, and one that refuses."""
    with ExitStack() as stack:
        nowhere = [f"127.0.0.1:{free_port()}"]
        for _ in range(2):
            nowhere.append(stack.enter_context(nobody_answers()))
            silent = Silent()
            stack.enter_context(silent.runs())
            nowhere.append(silent.url.removeprefix("nats://"))
        ports = [free_port() for _ in nowhere]
        routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
        servers = [
            NatsServer(
                tmp_path,
                f'cluster {{ name: c, listen: "127.0.0.1:{port}", routes: [{routes}] }}\n'
                f'client_advertise: "{address}"\n',
            )
            for port, address in zip(ports, nowhere, strict=True)
        ]
        for server in servers:
            stack.enter_context(running(server))
        server = servers[0]

        def named() -> bool:
            with socket.create_connection(("127.0.0.1", server.port)) as greeted:
                said = greeted.recv(65536).decode()
            return all(each in said for each in nowhere)

        await eventually(named)
        service = stack.enter_context(running(Gateway(server.url, log=log)))
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            for _ in range(2):
                server.stop()
                assert await browser.next() == {"status": "nats_down"}
                server.start()
                with within(READY, "a server of a cluster with dead addresses is back: told"):
                    assert await browser.next() == {"status": "nats_up", "gap": True}


@contextmanager
def nobody_answers() -> Iterator[str]:
    """Return an address where connections are neither taken nor refused, as behind a firewall."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        address = listener.getsockname()
        for _ in range(4):  # what fits, and more: from then on the system answers nobody
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        yield f"127.0.0.1:{address[1]}"


def test_what_is_said_of_a_failure_has_a_cause_a_cure_and_no_password() -> None:
    from urllib.parse import urlparse

    uri = urlparse("nats://somebody:planted@127.0.0.1:4222")
    for said, cure in (
        ("nats: 'Authorization Violation'", "NATS_CREDS"),
        ("nats: 'User Authentication Expired'", "NATS_CREDS"),
        ("nats: 'maximum connections exceeded'", "max_connections"),
        ("nats: 'maximum account active connections exceeded'", "its limit can be raised"),
        ("certificate verify failed: unable to get local issuer certificate", "NATS_TLS_CA"),
        ("certificate verify failed: self-signed certificate in chain", "NATS_TLS_CA"),
        ("tlsv13 alert certificate required", "NATS_TLS_CERT"),
    ):
        told = failure.Failure(uri, Exception(said))
        assert told.url == "nats://127.0.0.1:4222"
        assert re.fullmatch(re.escape(said) + ": .*" + cure + ".*", str(told))
    assert str(failure.Failure(uri, TimeoutError())) == "TimeoutError"
