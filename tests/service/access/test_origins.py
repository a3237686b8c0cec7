"""Which web pages may connect, asked of the real service, directly and through proxies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.servers import Gateway, NatsServer, running

PROXY, STRANGER = "127.0.0.2", "127.0.0.1"
FOR, PROTO, HOST = "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"

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
    # Through a proxy, or what says it is one.
    (PROXY, "https://{own}", {PROTO: "https"}, True),
    (PROXY, "http://{own}", {PROTO: "https"}, False),
    (PROXY, "https://devbox", {PROTO: "https", HOST: "devbox"}, True),
    (PROXY, "https://devbox:444", {PROTO: "https", HOST: "devbox"}, False),
    (PROXY, "https://devbox", {"Forwarded": "for=1.1.1.1;proto=https;host=devbox"}, True),
    (PROXY, "https://devbox", {PROTO: "https", HOST: "devbox", "Forwarded": "for=x"}, False),
    (PROXY, "https://evil.example", {PROTO: "https", HOST: "evil.example"}, False),
    (PROXY, "https://friend.example", {PROTO: "https", HOST: "friend.example"}, True),
    (STRANGER, "https://{own}", {PROTO: "https"}, False),
    (STRANGER, "https://devbox", {PROTO: "https", HOST: "devbox"}, False),
    (STRANGER, "http://devbox", {HOST: "devbox"}, False),
    (STRANGER, "https://devbox", {"Forwarded": "for=1.1.1.1;proto=https;host=devbox"}, False),
]


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with one friend, behind one proxy."""
    log = tmp_path_factory.mktemp("origins") / "log"
    settings = {"allowed_origins": "https://friend.example", "trusted_proxies": PROXY}
    with running(Gateway(nats_server.url, log=log, **settings)) as gateway:
        yield gateway


def headers_of(service: Gateway, origin: str | None, extra: dict[str, str]) -> dict[str, str]:
    own = f"127.0.0.1:{service.port}"
    headers = {"Host": own, **extra}
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
