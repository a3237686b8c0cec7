"""Pages of other origins that may connect may POST, too, and read what is answered; no others."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bridge.wire.publications import EXPECTED, MESSAGE_ID
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.servers import Gateway, NatsServer, running

FRIEND, APP = "https://friend.example", "capacitor://localhost"
ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
BODY = b'{"connection_id": "nobody", "subjects": ["a"]}'


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("cross")
    (folder / "tokens").write_text('{"name": "ann", "token": "the-token-of-ann-here"}')
    settings = {"allowed_origins": f"{FRIEND} {APP}", "tokens_file": folder / "tokens"}
    with running(Gateway(nats_server.url, log=folder / "log", **settings)) as gateway:
        yield gateway


def ask(service: Gateway, line: str, body: bytes = b"", **headers: str) -> tuple[int, dict]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"Host": f"127.0.0.1:{service.port}", "Connection": "close", **ASKS}
    if body:
        named["Content-Length"] = str(len(body))
    status, text = exchange(service.port, head(line, named) + body)
    told = re.findall(r"^([\w-]+): (.*?)\r?$", text.partition("\r\n\r\n")[0], re.MULTILINE)
    return status, {name.lower(): value for name, value in told}


@pytest.mark.parametrize("origin", [FRIEND, APP])
def test_a_browser_is_told_that_an_allowed_page_may_post(service: Gateway, origin: str) -> None:
    status, told = ask(service, "OPTIONS /stream", Origin=origin)
    assert status == 204
    assert told["access-control-allow-origin"] == origin
    assert told["vary"] == "Origin"
    assert "POST" in told["access-control-allow-methods"]
    sent = ("Authorization", "Content-Type", "Last-Event-ID", MESSAGE_ID, *EXPECTED)
    assert told["access-control-allow-headers"] == ", ".join(sent)
    assert "content-security-policy" in told


def test_our_own_page_is_told_the_same(service: Gateway) -> None:
    assert ask(service, "OPTIONS /stream", Origin=service.url)[0] == 204


@pytest.mark.parametrize("origin", ["https://evil.example", "null", f"{FRIEND}.evil.example"])
@pytest.mark.parametrize("line", ["OPTIONS /stream", "POST /stream", "GET /stream"])
def test_a_foreign_page_is_told_nothing(service: Gateway, line: str, origin: str) -> None:
    body = BODY if "POST" in line else b""
    status, told = ask(service, line, body, Origin=origin)
    assert status == 403
    assert not [each for each in told if each.startswith("access-control")]
    assert told["vary"] == "Origin"


@pytest.mark.parametrize(
    ("token", "body", "status"),
    [
        ("the-token-of-ann-here", BODY, 404),
        ("the-token-of-ann-here", b"{", 400),
        ("the-token-of-ann-here", b"x" * 70000, 413),
        ("wrong", BODY, 401),
    ],
)
def test_an_allowed_page_may_read_every_answer(
    service: Gateway, token: str, body: bytes, status: int
) -> None:
    answered, told = ask(
        service, "POST /stream", body, Origin=FRIEND, Authorization=f"Bearer {token}"
    )
    assert answered == status
    assert told["access-control-allow-origin"] == FRIEND
    assert told["access-control-allow-credentials"] == "true"
    assert told["vary"] == "Origin"


@pytest.mark.parametrize("line", ["GET /stream", "POST /stream"])
def test_an_allowed_page_may_read_who_asks_for_a_token(service: Gateway, line: str) -> None:
    body = BODY if "POST" in line else b""
    status, told = ask(service, line, body, Origin=FRIEND, Authorization="Bearer wrong")
    assert status == 401
    assert told["www-authenticate"] == "Bearer"
    assert told["access-control-expose-headers"] == "WWW-Authenticate"


def test_who_names_no_origin_gets_no_such_header(service: Gateway) -> None:
    for line in ("OPTIONS /stream", "POST /stream", "GET /stream"):
        _, told = ask(service, line, BODY if "POST" in line else b"")
        assert "access-control-allow-origin" not in told
        assert told["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/", "/livez", "/metrics", "/connections", "/page/css/app.css"])
def test_no_other_route_is_shared(service: Gateway, path: str) -> None:
    for method in ("GET", "OPTIONS"):
        _, told = ask(service, f"{method} {path}", Origin=FRIEND)
        assert not [each for each in told if each.startswith("access-control")]


def test_an_upgrade_has_no_such_headers(service: Gateway) -> None:
    own = {"Host": f"127.0.0.1:{service.port}", "Origin": FRIEND}
    status, text = exchange(service.port, head("GET /stream", own | UPGRADE))
    assert status == 101
    assert "Access-Control" not in text
