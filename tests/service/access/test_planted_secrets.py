"""No token is ever logged, whatever part of a request it comes in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import minting
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.servers import Gateway, NatsServer, running

SECRET = "planted-secret"
TOKEN = f"{SECRET}-0123456789abcdef"
HEADERS: dict[str, tuple[str, ...]] = {
    "Authorization": (
        f"Bearer {TOKEN}",
        f"bearer  {TOKEN}",
        f"Basic {TOKEN}",
        f"Digest username={TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} {'x' * 2000}",
    ),
    "Proxy-Authorization": (f"Basic {TOKEN}",),
    "Cookie": (
        f"nats_bridge_token={TOKEN}",
        f"session={TOKEN}; nats_bridge_token=x{TOKEN}",
        f"{SECRET}=1",
        f"a[{SECRET}]=1",
        f"{SECRET}@:=1; b=2",
        f"a b {SECRET}=1",
        f'a="{SECRET}',
        f"={SECRET}",
        f'a"{SECRET}=1',
        f"\\{SECRET}=1; b=2",
        f"a,{SECRET}=1",
        SECRET,
    ),
    "Sec-WebSocket-Protocol": (
        f"bearer, {TOKEN}",
        f"{TOKEN}, bearer",
        TOKEN,
        f"graphql-ws, {TOKEN}",
        f"bearer,{TOKEN},{TOKEN}",
        f"Bearer {TOKEN}",
        f"{TOKEN}{'x' * 5000}",
    ),
    "Sec-WebSocket-Extensions": (f"permessage-deflate; {SECRET}={TOKEN}", TOKEN),
    "Sec-WebSocket-Key": (TOKEN,),
    "Sec-WebSocket-Version": (TOKEN,),
    "Origin": (
        f"http://user:{TOKEN}@evil.example",
        f"http://{TOKEN}@evil.example:8080",
        f"http://a@{TOKEN}@evil.example",
        f"http://evil.example/?token={TOKEN}",
        f"http://evil.example#{TOKEN}",
        f"user:{TOKEN}@evil.example",
    ),
    "Forwarded": (
        f"for={TOKEN};host=user:{TOKEN}@here;proto={TOKEN}",
        f'for="{TOKEN}";by={TOKEN};secret={TOKEN}',
    ),
    "Referer": (f"http://127.0.0.1/?token={TOKEN}",),
    "User-Agent": (TOKEN,),
    "Connection": (f"Upgrade, {TOKEN}", TOKEN),
    "Upgrade": (TOKEN,),
    "Expect": (TOKEN,),
    "Content-Type": (f"application/json; charset={TOKEN}",),
    "Content-Encoding": (TOKEN,),
    "Transfer-Encoding": (TOKEN,),
    "Content-Length": (TOKEN,),
    "If-None-Match": (f'"{TOKEN}"',),
    **{
        f"X-{name}": (TOKEN,)
        for name in (
            *("Forwarded-For", "Forwarded-Host", "Forwarded-Port", "Forwarded-Proto"),
            *("Forwarded-Prefix", "Forwarded-Access-Token", "Real-IP", "Request-ID"),
            *("Api-Key", "Auth-Token", "Access-Token", "CSRF-Token", "Amzn-Oidc-Data"),
        )
    },
}
"""What a browser, a program or a proxy may put a secret into."""
PAGE = {"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}
"""What a page of ours sends, so that its cookie is looked at."""
LINES = (
    "GET /stream",
    f"GET /stream?batch=1&token={TOKEN}&access_token={TOKEN}",
    f"GET /page/{TOKEN}",
    f"GET /{TOKEN}",
    f"GET http://user:{TOKEN}@127.0.0.1/stream",
    f"POST /stream?token={TOKEN}",
    "GET /connections",
    f"{SECRET.upper()} /stream",
    f"OPTIONS /stream?{TOKEN}",
)


@pytest.fixture(scope="module", params=["json", "text"])
def guarded(
    nats_server: NatsServer,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Gateway]:
    """A gateway that asks for tokens, trusts every header, and says all it can."""
    folder: Path = tmp_path_factory.mktemp("secrets")
    (folder / "key").write_text(minting.key_file("RS256"))
    service = Gateway(
        nats_server.url,
        log=folder / "log",
        jwt_key=folder / "key",
        operator_token="an operator's token",
        trusted_proxies="127.0.0.1",
        log_level="debug",
        log_format=request.param,
    )
    with running(service):
        yield service


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_is_ever_logged(guarded: Gateway, name: str) -> None:
    before = len(guarded.output())
    for value in HEADERS[name]:
        for line in ("GET /stream", "POST /stream", "GET /", "GET /connections"):
            upgrade = UPGRADE if line == "GET /stream" else {}
            headers = {**PAGE, **upgrade, name: value}
            assert _answered(guarded, head(line, headers))
        # The same with bytes that are no text.
        request = head("GET /stream", {**PAGE, **UPGRADE, name: f"{value}\xff"})
        _answered(guarded, request.replace("\xff".encode(), b"\xff\xfe"))
    said = _said_since(before, guarded)
    assert SECRET not in said and "Traceback" not in said


@pytest.mark.parametrize("line", LINES)
def test_no_address_is_ever_logged(guarded: Gateway, line: str) -> None:
    before = len(guarded.output())
    for headers in UPGRADE, {}:
        _answered(guarded, head(line, {**PAGE, **headers}))
    assert SECRET not in _said_since(before, guarded).lower()


def test_what_is_no_request_is_not_logged_either(guarded: Gateway) -> None:
    before = len(guarded.output())
    for request in (
        f"GET /stream HTTP/1.1\r\nHost: a\r\n{TOKEN}\r\n\r\n",
        f"GET /stream HTTP/1.1\r\nHost: a\r\nAuth orization: {TOKEN}\r\n\r\n",
        f"GET /stream HTTP/1.1\r\nHost: a\r\nX: {TOKEN}\x00\r\n\r\n",
        f"GET /stream HTTP/{TOKEN}\r\n\r\n",
        f"{TOKEN}\r\n\r\n",
        f"GET /stream HTTP/1.1\r\nHost: a\r\nCookie: {TOKEN * 2000}\r\n\r\n",
    ):
        _answered(guarded, request.encode())
    said = _said_since(before, guarded)
    assert SECRET not in said and "Traceback" not in said


def _said_since(before: int, service: Gateway) -> str:
    """Return what was logged behind so many characters; the end of a module looks once more."""
    return service.output()[before:]


def _answered(service: Gateway, request: bytes) -> int:
    """Return the status of the response to `request`; 0 if there is none."""
    try:
        return exchange(service.port, request)[0]
    except (IndexError, ConnectionError, ValueError):
        return 0
