"""Which web pages may connect, asked of the real service, directly and through proxies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.servers import Gateway, NatsServer, running, until

PROXY, STRANGER = "127.0.0.2", "127.0.0.1"
FOR, PROTO, HOST = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"
PORT = "X-Forwarded-Port"

ROWS = [
    # Directly: our own origin, exactly, or one that is allowed.
    (STRANGER, None, {}, True),
    (STRANGER, "http://{own}", {}, True),
    (STRANGER, "HTTP://{own}", {}, True),
    (STRANGER, "https://{own}", {}, False),
    (STRANGER, "http://localhost:{port}", {}, False),
    (STRANGER, "http://127.0.0.1", {}, False),
    (STRANGER, "http://127.0.0.1:1", {}, False),
    (STRANGER, "http://{own}.evil.example", {}, False),
    (STRANGER, "http://{own}@evil.example", {}, False),
    (STRANGER, "http://evil.example", {}, False),
    (STRANGER, "http://evil.example", {"Host": "evil.example"}, False),
    (STRANGER, "null", {}, False),
    (STRANGER, "", {}, False),
    (STRANGER, "{own}", {}, False),
    (STRANGER, "http://{own}/", {}, False),
    (STRANGER, "https://friend.example", {}, True),
    (STRANGER, "https://friend.example:443", {}, True),
    (STRANGER, "http://friend.example", {}, False),
    (STRANGER, "https://sub.friend.example", {}, False),
    (STRANGER, "https://a.wide.example", {}, True),
    (STRANGER, "https://wide.example", {}, False),
    (STRANGER, "capacitor://localhost", {}, True),
    (STRANGER, "ionic://localhost", {}, False),
    (STRANGER, "http://evil:{port}", {"Host": "evil:{port}"}, False),
    (STRANGER, "http://evil", {"Host": "evil"}, False),
    (STRANGER, "http://evil.localhost:{port}", {"Host": "evil.localhost:{port}"}, True),
    # Through a proxy, or what says it is one.
    (PROXY, "https://{own}", {PROTO: "https"}, True),
    (PROXY, "http://{own}", {PROTO: "https"}, False),
    (PROXY, "https://devbox", {PROTO: "https", HOST: "devbox"}, True),
    (PROXY, "https://devbox:444", {PROTO: "https", HOST: "devbox"}, False),
    (PROXY, "https://devbox", {"Forwarded": "for=1.1.1.1;proto=https;host=devbox"}, True),
    (PROXY, "https://devbox", {PROTO: "https", HOST: "devbox", "Forwarded": "for=x"}, False),
    (PROXY, "https://devbox", {PROTO: "wss", HOST: "devbox"}, True),
    (PROXY, "http://devbox", {PROTO: "Ws", HOST: "devbox"}, True),
    (PROXY, "http://devbox", {PROTO: "wss", HOST: "devbox"}, False),
    (PROXY, "https://devbox", {PROTO: "ftp", HOST: "devbox"}, False),
    (PROXY, "https://devbox", {"Forwarded": "for=1.1.1.1;proto=wss;host=devbox"}, True),
    (PROXY, "https://devbox:444", {PROTO: "https", "Host": "devbox", PORT: "444"}, True),
    (PROXY, "https://devbox:444", {PROTO: "https", HOST: "devbox:445", PORT: "444"}, False),
    (PROXY, "https://devbox", {PROTO: "https", "Host": "devbox", PORT: "444"}, False),
    (PROXY, "http://evil:{port}", {"Host": "evil:{port}"}, False),
    (PROXY, "https://evil.example", {PROTO: "https", HOST: "evil.example"}, False),
    (PROXY, "https://friend.example", {PROTO: "https", HOST: "friend.example"}, True),
    (STRANGER, "https://{own}", {PROTO: "https"}, False),
    (STRANGER, "https://devbox", {PROTO: "https", HOST: "devbox"}, False),
    (STRANGER, "https://devbox:444", {PROTO: "https", "Host": "devbox", PORT: "444"}, False),
    (STRANGER, "http://devbox", {HOST: "devbox"}, False),
    (STRANGER, "https://devbox", {"Forwarded": "for=1.1.1.1;proto=https;host=devbox"}, False),
]


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with one friend, behind one proxy."""
    log = tmp_path_factory.mktemp("origins") / "log"
    allowed = "https://friend.example https://*.wide.example capacitor://localhost"
    settings = {"allowed_origins": allowed, "trusted_proxies": PROXY}
    with running(Gateway(nats_server.url, log=log, **settings)) as gateway:
        yield gateway


def headers_of(service: Gateway, origin: str | None, extra: dict[str, str]) -> dict[str, str]:
    own = f"127.0.0.1:{service.port}"
    headers = {"Host": own} | {k: v.replace("{port}", str(service.port)) for k, v in extra.items()}
    if origin is not None:
        headers["Origin"] = origin.format(own=own, port=service.port)
    return headers


@pytest.mark.parametrize(("source", "origin", "extra", "allowed"), ROWS)
def test_a_foreign_page_gets_no_websocket(
    service: Gateway, source: str, origin: str | None, extra: dict[str, str], allowed: bool
) -> None:
    request = head("GET /stream", headers_of(service, origin, extra) | UPGRADE)
    status, text = exchange(service.port, request, source=source)
    assert status == (101 if allowed else 403), text


@pytest.mark.parametrize(("source", "origin", "extra", "allowed"), ROWS)
def test_a_foreign_page_cannot_post(
    service: Gateway, source: str, origin: str | None, extra: dict[str, str], allowed: bool
) -> None:
    body = b'{"connection_id": "nobody", "subjects": ["a"]}'
    headers = headers_of(service, origin, extra)
    headers |= {"Content-Length": str(len(body)), "Connection": "close"}
    status, text = exchange(service.port, head("POST /stream", headers) + body, source=source)
    assert status == (404 if allowed else 403), text


CAUSES = [
    # Caddy as it comes, which ends TLS and is not trusted
    (STRANGER, "https://localhost:8443", {"Host": "localhost:8443", PROTO: "https"}, "TRUSTED_PR"),
    # nginx with `Host $host`, which drops the port
    (PROXY, "https://devbox:8443", {"Host": "devbox", PROTO: "https"}, "$http_host"),
    (PROXY, "https://devbox", {"Host": "devbox"}, "X-Forwarded-Proto"),
    (STRANGER, "https://a.example", {"Host": "x", HOST: "a.example"}, "TRUSTED_PROXIES"),
    (STRANGER, "http://evil.example", {"Host": "evil.example"}, "in ALLOWED_ORIGINS"),
    (STRANGER, "http://evil.example", {}, "ALLOWED_ORIGINS"),
    (STRANGER, "null", {}, "opened as a file"),
    (STRANGER, "http://me:planted-secret@evil.example", {}, "ALLOWED_ORIGINS"),
    (STRANGER, "http://x", {"Host": "me:planted-secret@x"}, "ALLOWED_ORIGINS"),
    (STRANGER, f"http://{'x' * 5000}.example", {}, "ALLOWED_ORIGINS"),
]


@pytest.mark.parametrize(("source", "origin", "extra", "cause"), CAUSES)
def test_a_refusal_names_both_origins_and_what_to_change(
    nats_server: NatsServer, log: Path, source: str, origin: str, extra: dict[str, str], cause: str
) -> None:
    with running(Gateway(nats_server.url, log=log, trusted_proxies=PROXY)) as service:
        request = head("GET /stream", headers_of(service, origin, extra) | UPGRADE)
        status, text = exchange(service.port, request, source=source)
        assert status == 403
        said = text.partition("\r\n\r\n")[2]
        line = until(
            lambda: [each for each in service.output().splitlines() if "refused a" in each]
        )
    host = extra.get("Host", f"127.0.0.1:{service.port}")
    for told in (said, line[0]):
        assert cause in told
        assert "planted" not in told
        assert len(told) < 600
        if "planted" not in f"{origin}{host}" and len(origin) < 80:
            assert repr(origin) in told
            scheme = "https" if source == PROXY and PROTO in extra else "http"
            assert f"'{scheme}://{host}'" in told
