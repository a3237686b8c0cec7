"""TLS to a real nats-server: its certificate, ours, and nothing shown in plain text."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.servers import Gateway, NatsServer, eventually, running, until
from tests.support.signing_in import REFUSED, SIGNED, USER, is_refused, signs_in


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The CA that the servers are certified by."""
    return Authority(tmp_path / "ca")


@pytest.mark.parametrize("scheme", ["nats", "tls"])
def test_a_ca_of_our_own(scheme: str, authority: Authority, tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path, USER + authority.config())) as server:
        url = server.url.replace("nats", scheme)
        signs_in(server, log, url, nats_tls_ca=authority.ca, **SIGNED)
        said = "certificate verify failed"
        is_refused(server, log, "nats_down", said, url, **SIGNED)
        other = Authority(tmp_path / "other").ca
        is_refused(server, log, "nats_down", said, url, nats_tls_ca=other, **SIGNED)
        wrong = {"nats_user": "somebody", "nats_password": "planted@wrong"}
        is_refused(server, log, "nats_auth", REFUSED, url, nats_tls_ca=authority.ca, **wrong)


@pytest.mark.parametrize("name", ["elsewhere.example", "127.0.0.2"])
def test_a_certificate_for_another_name_is_refused(
    name: str, authority: Authority, tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, USER + authority.config(name))) as server:
        settings = {"nats_tls_ca": authority.ca, **SIGNED}
        is_refused(server, log, "nats_down", "ip address mismatch", **settings)


def test_a_client_certificate(authority: Authority, tmp_path: Path, log: Path) -> None:
    config = USER + authority.config("127.0.0.1", "verify: true")
    with running(NatsServer(tmp_path, config)) as server:
        settings = {"nats_tls_ca": authority.ca, **SIGNED}
        is_refused(server, log, "nats_down", "certificate required", **settings)
        settings["nats_tls_cert"], settings["nats_tls_key"] = authority.issue("gateway.example")
        output = signs_in(server, log, **settings)
        other = Authority(tmp_path / "other")
        settings["nats_tls_cert"], settings["nats_tls_key"] = other.issue("gateway.example")
        output += is_refused(server, log, "nats_down", "unknown ca", **settings)
    assert "PRIVATE" not in output


async def test_a_client_certificate_is_read_anew(
    authority: Authority, tmp_path: Path, log: Path
) -> None:
    later = Authority(tmp_path / "later")
    server = NatsServer(tmp_path, authority.config("127.0.0.1", "verify: true"))
    cert, key = authority.issue("gateway.example")
    settings = {"nats_tls_ca": authority.ca, "nats_tls_cert": cert, "nats_tls_key": key}
    with running(server), running(Gateway(server.url, log=log, **settings)) as service:
        async with Browser(service.stream) as browser:
            server.stop()
            assert await browser.next() == {"status": "nats_down"}
            for replaced, new in zip((cert, key), later.issue("gateway.example"), strict=True):
                replaced.write_bytes(new.read_bytes())
            authority.ca.write_bytes(later.ca.read_bytes())
            server.configure(later.config("127.0.0.1", "verify: true"))
            server.start()
            assert await browser.next() == {"status": "nats_up", "gap": True}
            await browser.subscribe("again")
            await eventually(lambda: server.subscriptions() == ["again"])


@pytest.mark.parametrize("scheme", ["nats", "tls"])
def test_tls_is_used_where_the_server_would_do_without(
    scheme: str, authority: Authority, tmp_path: Path, log: Path
) -> None:
    config = authority.config() + "allow_non_tls: true\n" + USER
    with running(NatsServer(tmp_path, config)) as server:
        url = server.url.replace("nats", scheme)
        signs_in(server, log, url, nats_tls_ca=authority.ca, **SIGNED)
        if scheme == "tls":
            is_refused(server, log, "nats_down", "certificate verify failed", url, **SIGNED)


def test_with_a_ca_nothing_secret_goes_to_a_server_without_tls(
    authority: Authority, log: Path
) -> None:
    shows_nothing_without_tls("nats://", log, nats_tls_ca=authority.ca, **SIGNED)


def test_tls_url_never_sends_a_password_to_a_server_without_tls(log: Path) -> None:
    shows_nothing_without_tls("tls://somebody:planted-secret@", log)


def shows_nothing_without_tls(url: str, log: Path, **settings: object) -> None:
    """Fail if the gateway sends anything to a server without TLS; `url` lacks the address."""
    with socket.create_server(("127.0.0.1", 0)) as plain:
        service = Gateway(f"{url}127.0.0.1:{plain.getsockname()[1]}", log=log, **settings)
        service.launch()
        try:
            heard = b""
            for _ in range(2):
                connection, _address = plain.accept()
                with connection:
                    connection.sendall(b'INFO {"server_id":"x","version":"2.12.0"}\r\n')
                    while piece := connection.recv(4096):
                        heard += piece
            assert heard == b""
            assert until(lambda: "does not offer TLS" in service.output())
        finally:
            service.stop()
