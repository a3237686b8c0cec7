"""What every HTTP response says to a browser, and what none says to anybody."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import re
import socket
import struct
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from bridge.web.assets import INLINE_SCRIPT
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.servers import ROOT, Gateway, NatsServer, running, until

POLICY = (
    f"default-src 'none'; script-src 'self' {INLINE_SCRIPT}; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    log = tmp_path_factory.mktemp("responses") / "log"
    gateway = Gateway(nats_server.url, program="tests/programs/with_a_bug.py", log=log)
    with running(gateway):
        yield gateway


def ask(service: Gateway, line: str, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return exchange(service.port, head(line, {"Host": "x", "Connection": "close", **named}))


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /", {}, 200),
        ("GET /page/js/main.js", {}, 200),
        ("GET /page/css/app.css", {}, 200),
        ("GET /page/nothing", {}, 404),
        ("GET /livez", {}, 200),
        ("GET /readyz", {}, 200),
        ("GET /metrics", {}, 200),
        ("GET /stream", {}, 426),
        ("GET /stream", {"Origin": "http://evil.example"}, 403),
        ("POST /stream", {}, 400),
        ("POST /stream", {"Content-Length": "70000"}, 413),
        ("GET /nowhere", {}, 404),
        ("DELETE /stream", {}, 405),
        ("GET /bug", {}, 500),
        ("GET  / /", {}, 400),
    ],
)
def test_every_response_has_the_security_headers(
    service: Gateway, line: str, headers: dict[str, str], status: int
) -> None:
    request = head(line, {"Host": "x", "Connection": "close", **headers})
    request += b"x" * int(headers.get("Content-Length", 0))
    answered, text = exchange(service.port, request)
    assert answered == status
    told, _, _ = text.partition("\r\n\r\n")
    policy = re.sub(r"(style-src 'self') 'sha256-[^']+'", r"\1", told)
    assert (policy != told) == (line == "GET /")
    assert f"Content-Security-Policy: {POLICY}" in policy
    assert "X-Content-Type-Options: nosniff" in told
    assert "Referrer-Policy: no-referrer" in told
    assert "Content-Type: " in told


def test_the_policy_lets_the_one_script_in_the_page_itself_run() -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", (ROOT / "page/index.html").read_text(), re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" == INLINE_SCRIPT


def unforeseen_bugs(service: Gateway) -> int:
    """Return how many tracebacks are in the log that no test has planted, or not to their end."""
    output = service.output()
    return output.count("Traceback") - output.count("RuntimeError: planted")


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_a_bug_is_told_to_the_log_alone(service: Gateway, accept: str) -> None:
    status, text = ask(service, "GET /bug", Accept=accept)
    assert status == 500
    assert text.endswith("\r\n\r\nSomething went wrong.\n")
    assert "planted" not in text
    until(lambda: "RuntimeError: planted" in service.output())


@pytest.mark.parametrize(
    "request_",
    [
        b"<script>alert(1)</script>\r\n\r\n",
        b"GET / HTTP/1.1\r\nplanted\xff: \x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nplanted\r\n\r\n",
        head(
            "GET /stream", {"Host": "x", **UPGRADE, "Sec-WebSocket-Key": "pläntedpläntedpläntedpl"}
        ),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"planted" * 2000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: planted\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nplanted\r\n",
    ],
)
def test_what_is_no_request_is_not_repeated_nor_explained(
    service: Gateway, request_: bytes
) -> None:
    status, text = exchange(service.port, request_ + b"\r\n\r\n")
    assert status == 400
    body = text.partition("\r\n\r\n")[2]
    assert body in ("This is not a request.\n", "400: Bad Request")


VERSION = "Version 13 of the WebSocket protocol is spoken here.\n"
NO_WEBSOCKET = (
    "There are two ways to messages here: a WebSocket; or a GET with ?subjects=..., by curl or "
    "EventSource, and not from an address bar. If you did open a WebSocket, something between you "
    "and this gateway has dropped the headers Upgrade and Connection.\n"
)


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({}, NO_WEBSOCKET),
        ({"Accept": "text/html"}, NO_WEBSOCKET),
        ({"Connection": "close"}, NO_WEBSOCKET),
        (UPGRADE | {"Connection": "keep-alive"}, NO_WEBSOCKET),
        (UPGRADE | {"Connection": "close, not-upgrade"}, NO_WEBSOCKET),
        (UPGRADE | {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}, NO_WEBSOCKET),
        ({"Connection": "close", "Upgrade": "planted\xff"}, NO_WEBSOCKET),
        ({n: v for n, v in UPGRADE.items() if n != "Connection"}, NO_WEBSOCKET),
        ({n: v for n, v in UPGRADE.items() if n != "Upgrade"}, NO_WEBSOCKET),
        (UPGRADE | {"Sec-WebSocket-Version": "99"}, VERSION),
        (UPGRADE | {"Sec-WebSocket-Version": "0"}, VERSION),
        ({n: v for n, v in UPGRADE.items() if n != "Sec-WebSocket-Version"}, VERSION),
    ],
)
def test_what_is_no_websocket_is_told_what_is_missing(
    service: Gateway, headers: dict[str, str], sentence: str
) -> None:
    before = service.output()
    status, text = ask(service, "GET /stream", **headers)
    start, _, body = text.partition("\r\n\r\n")
    assert (status, body) == (426, sentence)
    said = [line.lower() for line in start.splitlines()]
    assert {"upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13"} <= {*said}
    assert service.output() == before


def test_a_refusal_of_a_websocket_can_be_read_by_pages_that_may_connect(service: Gateway) -> None:
    readable = "Access-Control-Allow-Origin: "
    status, text = ask(service, "GET /stream", Origin="https://evil.example")
    assert status == 403 and readable not in text, "the origin is judged before what is asked for"
    own = {"Host": f"127.0.0.1:{service.port}", "Origin": service.url}
    assert f"{readable}{service.url}\r\n" in ask(service, "GET /stream", **own)[1]
    assert readable not in ask(service, "GET /stream")[1], "it names no page"
    for other in ("POST /stream", "GET /connections", "GET /metrics", "GET /readyz", "GET /"):
        assert readable not in ask(service, other, Origin="https://evil.example")[1]


@pytest.mark.parametrize(
    "headers",
    [
        {"Connection": "upgrade"},
        {"Connection": "keep-alive,UPGRADE", "Upgrade": "WebSocket"},
        {"Sec-WebSocket-Version": "8"},
    ],
)
def test_every_spelling_of_a_handshake_is_taken(service: Gateway, headers: dict[str, str]) -> None:
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as stream:
        stream.sendall(head("GET /stream", {"Host": "127.0.0.1"} | UPGRADE | headers))
        assert stream.recv(65536).startswith(b"HTTP/1.1 101 ")
    until(lambda: not unforeseen_bugs(service))


@pytest.mark.parametrize(
    "path",
    [
        "../main.py",
        "..%2fmain.py",
        "%2e%2e/main.py",
        "%2e%2e%2fmain.py",
        "..%5cmain.py",
        "js/../../main.py",
        "js/..%2f..%2fmain.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "js/main.js%00",
        "js/",
        "js",
        "nothing",
    ],
)
def test_page_files_cannot_be_walked_out_of(service: Gateway, path: str) -> None:
    status, text = ask(service, f"GET /page/{path}")
    assert status in (400, 404)
    assert "import" not in text and "root:" not in text


def test_pages_of_other_origins_may_load_the_client_and_nothing_else(service: Gateway) -> None:
    folder = ROOT / "page"
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    shared = []
    for path in ("/", "/livez", "/metrics", *(f"/page/{each.as_posix()}" for each in files)):
        request = urllib.request.Request(service.url + path, headers={"Origin": "http://x.example"})
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request) as answer:
            if {"Access-Control-Allow-Origin", "Cross-Origin-Resource-Policy"} & {*answer.headers}:
                shared.append(path)
    assert shared == ["/page/js/client.js"]


@pytest.mark.parametrize("tag", ["", "known"])
def test_the_client_may_be_loaded_also_when_the_browser_has_it(service: Gateway, tag: str) -> None:
    line = "GET /page/js/client.js"
    _, text = ask(service, line, Origin="http://x.example")
    if tag:
        tag = re.search(r"(?i)^etag: (.*?)\r$", text, re.MULTILINE)[1]
    status, text = ask(service, line, Origin="http://x.example", If_None_Match=tag)
    assert status == (304 if tag else 200)
    assert "Access-Control-Allow-Origin: *\r\n" in text
    assert "Cross-Origin-Resource-Policy: cross-origin\r\n" in text


def test_who_leaves_before_the_answer_is_no_error(service: Gateway) -> None:
    request = head("GET /stream", {"Host": "x", **UPGRADE})
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
            raw.sendall(request)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
            raw.sendall(request)
            raw.shutdown(socket.SHUT_WR)
    until(lambda: service.figures()["bridge_connections"] == 0)
    until(lambda: not unforeseen_bugs(service))


def fetched(service: Gateway, path: str, **headers: str) -> tuple[dict[str, str], bytes]:
    request = urllib.request.Request(f"{service.url}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return dict(response.headers), response.read()


def test_what_the_page_loads_is_kept_for_ever_and_its_address_is_not(service: Gateway) -> None:
    headers, body = fetched(service, "/")
    assert headers["Cache-Control"] == "no-cache"
    addresses = re.findall(r'"(page/(?:js|css)[^"]*)"', body.decode())
    assert len(addresses) == 1
    (style,) = re.findall(r"<style>(.*?)</style>", body.decode(), re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"; style-src 'self' 'sha256-{digest}'; " in headers["Content-Security-Policy"]
    for address in addresses:
        headers, joined = fetched(service, f"/{address}")
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        older = re.sub(r"\.[0-9a-f]+/", ".0123456789ab/", address)
        headers, same = fetched(service, f"/{older}")
        assert headers["Cache-Control"] == "no-store"
        assert same == joined
    single = fetched(service, "/?files=single")[1].decode()
    assert '<script type="module" src="page/js/main.js">' in single


@pytest.mark.parametrize("path", ["/", "/page/js/client.js", "/page/css/app.css"])
def test_files_are_compressed_for_who_takes_that(service: Gateway, path: str) -> None:
    plain, body = fetched(service, path)
    zipped, small = fetched(service, path, **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain
    assert zipped["Content-Encoding"] == "gzip"
    assert gzip.decompress(small) == body
    assert len(small) < len(body) / 2
    for headers in (plain, zipped):
        assert headers["Vary"] == "Accept-Encoding"
        assert headers["Content-Type"].endswith("; charset=utf-8")
    assert plain["Etag"] != zipped["Etag"]
    accepted = {"Accept_Encoding": "gzip", "If_None_Match": zipped["Etag"]}
    assert ask(service, f"GET {path}", **accepted)[0] == 304
