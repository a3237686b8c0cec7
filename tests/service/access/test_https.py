"""https and wss: the certificate that is served, its renewal, and what cannot work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
from pathlib import Path

import pytest

from tests.service.access.test_limits import CROWD, OTHER, goes_on, sockets
from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.secure import Secure, trusting
from tests.support.servers import Gateway, NatsServer, eventually, running


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def service(nats_server: NatsServer, authority: Authority, tmp_path: Path):
    gateway = Secure(nats_server.url, tmp_path)
    gateway.install(authority)
    gateway.start()
    yield gateway
    assert gateway.stop() == 0


def shown(service: Gateway, context: ssl.SSLContext) -> bool:
    """Tell whether a new connection is shown a certificate that `context` trusts."""
    try:
        request = head("GET /livez", {"Host": "x", "Connection": "close"})
        return exchange(service.port, request, tls=context)[0] == 200
    except ssl.SSLCertVerificationError:
        return False


async def test_page_and_stream_come_over_tls(
    service: Secure, authority: Authority, raw_nats: RawNats
) -> None:
    assert f"page  {service.url}/" in service.output()
    async with Browser(service.stream, ssl=trusting(authority), origin=service.url) as browser:
        await browser.subscribe("secure")
        raw_nats.publish("secure", b"1")
        assert await browser.next() == {"subject": "secure", "data": 1}


def test_nothing_is_served_without_tls_or_with_an_old_one(
    service: Secure, authority: Authority
) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
        raw.sendall(head("GET /livez", {"Host": "x"}))
        assert not raw.recv(100).startswith(b"HTTP")
    old = trusting(authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shown(service, old)
    new = trusting(authority)
    new.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shown(service, new)


async def test_a_renewed_certificate_is_for_new_connections_and_old_ones_go_on(
    service: Secure, authority: Authority, raw_nats: RawNats, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    old, new = trusting(authority), trusting(other)
    async with Browser(service.stream, ssl=old) as browser:
        await browser.subscribe("secure")
        service.install(other)
        assert shown(service, old), "before the signal nothing changes"
        service.hang_up()
        await eventually(lambda: shown(service, new))
        assert not shown(service, old)
        raw_nats.publish("secure", b"1")
        assert await browser.next() == {"subject": "secure", "data": 1}
        service.install(authority)  # a good certificate, and a key that is not written to the end
        service.key.write_text("half a fi")
        service.hang_up()
        await eventually(lambda: "the certificate stays as it was: TLS_CERT: " in service.output())
        assert shown(service, new)
        service.key.unlink()
        service.hang_up()
        await eventually(lambda: "stays as it was: TLS_KEY: " in service.output())
        assert shown(service, new)
    assert "half a fi" not in service.output()


@pytest.mark.parametrize(
    ("cert", "key", "line"),
    [
        ("cert.pem", "missing", "TLS_KEY: the file it names cannot be read: "),
        ("missing", "key.pem", "TLS_CERT: the file it names cannot be read: "),
        ("cert.pem", "", "TLS_KEY: it is missing, TLS_CERT needs it"),
        ("", "key.pem", "TLS_CERT: it is missing, TLS_KEY needs it"),
        ("cert.pem", "other.pem", "TLS_CERT: it is of no use with TLS_KEY: "),
        ("key.pem", "key.pem", "TLS_CERT: it is of no use with TLS_KEY: "),
        ("cert.pem", ".", "TLS_KEY: it is the path of something else than a file"),
    ],
)
def test_files_of_no_use_end_the_start_with_one_line_that_names_the_setting(
    authority: Authority, tmp_path: Path, log: Path, cert: str, key: str, line: str
) -> None:
    for name, path in zip(("cert.pem", "key.pem"), authority.issue("127.0.0.1"), strict=True):
        shutil.copy(path, tmp_path / name)
    shutil.copy(Authority(tmp_path / "other").issue("127.0.0.1")[1], tmp_path / "other.pem")
    paths = {"tls_cert": cert and tmp_path / cert, "tls_key": key and tmp_path / key}
    service = Gateway("nats://127.0.0.1:1", log=log, **paths)
    service.launch()
    assert service.wait() == 2
    (said,) = service.output().splitlines()
    assert said.startswith(line)


async def test_a_browser_that_reads_slowly_but_steadily_is_not_cut_over_tls_either(
    nats_server: NatsServer, authority: Authority, raw_nats: RawNats, tmp_path: Path
) -> None:
    service = Secure(nats_server.url, tmp_path, write_timeout=3)
    service.install(authority)
    with running(service):
        async with Browser(service.stream, ssl=trusting(authority)) as slow:
            await slow.subscribe("steady")
            slow.ws.transport._ssl_protocol._transport.pause_reading()
            raw = slow.ws.transport.get_extra_info("socket")
            memory = service.ps().memory_info().rss
            command = RawNats.command(b"steady", b"x" * 10_000)
            for _ in range(160):
                # 8 KB each 50 ms, for almost three times the write timeout; never opened.
                await asyncio.to_thread(raw_nats.send, command * 10)
                with contextlib.suppress(BlockingIOError):
                    os.read(raw.fileno(), 8192)
                await asyncio.sleep(0.05)
            figures = figures_of(service, authority)
            assert 'bridge_connections_closed_total{reason="stalled"} 0.0' in figures
            assert 'bridge_messages_dropped_total{reason="slow"} 0.0' not in figures
            assert service.ps().memory_info().rss - memory < 6_000_000
            slow.kill()


async def test_sockets_that_never_speak_tls_are_counted_and_leave_room_for_others(
    nats_server: NatsServer, authority: Authority, raw_nats: RawNats, tmp_path: Path
) -> None:
    service = Secure(nats_server.url, tmp_path, request_timeout=8)
    service.install(authority)
    with running(service):
        calm = service.ps().num_fds(), service.ps().memory_info().rss
        async with browser_of(service, authority) as bystander:
            await bystander.subscribe("bystander")
            with sockets(2000, service.port):
                await eventually(lambda: service.ps().num_fds() > calm[0] + 900)
                for number in range(20):
                    await goes_on(bystander, raw_nats, number)
                async with browser_of(service, authority) as newcomer:
                    await newcomer.subscribe("bystander")
                # 1000 of them have a place, the others are gone before their handshake is due.
                await eventually(lambda: service.ps().num_fds() < calm[0] + 1020)
                assert service.ps().memory_info().rss - calm[1] < 250_000_000
                figures = await asyncio.to_thread(figures_of, service, authority)
                assert 'bridge_refused_total{reason="address"} 1000.0' in figures
                # Nor have they that place for longer than a request may take.
                await eventually(lambda: service.ps().num_fds() < calm[0] + 20)
            figures = await asyncio.to_thread(figures_of, service, authority)
            assert 'bridge_refused_total{reason="too_late"} 1000.0' in figures
            await goes_on(bystander, raw_nats, 99)
        await eventually(lambda: shown(service, trusting(authority)))
    assert "Traceback" not in service.output()


async def test_unfinished_handshakes_of_all_addresses_take_no_more_than_there_is(
    nats_server: NatsServer, authority: Authority, raw_nats: RawNats, tmp_path: Path
) -> None:
    program = "tests/programs/with_few_files.py"
    service = Secure(nats_server.url, tmp_path, program=program)
    service.install(authority)
    with running(service):
        calm = service.ps().num_fds()
        async with browser_of(service, authority) as bystander:
            await bystander.subscribe("bystander")
            with sockets(200, service.port), sockets(200, service.port, "127.0.0.3"):
                await eventually(lambda: service.ps().num_fds() > 180)
                for number in range(20):
                    await goes_on(bystander, raw_nats, number)
                # Of 256 files, 64 are kept back: long before a handshake is due.
                await eventually(lambda: service.ps().num_fds() <= calm + 192, within=5)
            # With room again, new ones are served.
            assert await eventually(lambda: served(service, authority))
            await goes_on(bystander, raw_nats, 99)
        figures = figures_of(service, authority)
        assert 'bridge_refused_total{reason="full"} 0.0' not in figures
    assert "Traceback" not in service.output()


def served(service: Secure, authority: Authority) -> bool:
    with contextlib.suppress(OSError):
        return shown(service, trusting(authority))
    return False


async def test_one_too_many_is_told_so_over_tls(
    nats_server: NatsServer, authority: Authority, tmp_path: Path
) -> None:
    service = Secure(nats_server.url, tmp_path, max_connections_per_address=1)
    service.install(authority)
    with running(service):
        async with browser_of(service, authority, source=CROWD):
            request = head("GET /stream", {"Host": "x", **UPGRADE})
            status, text = exchange(service.port, request, tls=trusting(authority))
            assert status == 503
            assert text.endswith("At most 1 connections from one address, please.\n")


def test_who_does_not_say_goodbye_over_tls_is_gone_soon(
    service: Secure, authority: Authority
) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
        with trusting(authority).wrap_socket(raw, server_hostname="127.0.0.1") as secure:
            secure.sendall(head("GET /livez", {"Host": "x", "Connection": "close"}))
            silent = socket.socket(fileno=secure.detach())  # its TLS answers nothing from here on
    with silent:
        # asyncio would wait for 30 s.
        silent.settimeout(20)
        while silent.recv(65536):
            pass
    assert "Traceback" not in service.output()


def browser_of(service: Secure, authority: Authority, source: str = OTHER) -> Browser:
    return Browser(service.stream, ssl=trusting(authority), local_addr=(source, 0))


def figures_of(service: Secure, authority: Authority) -> str:
    request = head("GET /metrics", {"Host": "x", "Connection": "close"})
    return exchange(service.port, request, source=OTHER, tls=trusting(authority))[1]


async def test_a_stop_is_in_order_over_tls_too(service: Secure, authority: Authority) -> None:
    async with Browser(service.stream, ssl=trusting(authority)) as browser:
        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        assert await browser.closed() == 1012
    assert await asyncio.to_thread(service.process.wait) == 0
    assert "failed" not in service.output()
