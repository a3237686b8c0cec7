"""The client that other pages can use, in a real browser, on a page of another origin."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.proxy import Proxy
from tests.support.raw_nats import RawNats
from tests.support.servers import ROOT, Gateway, NatsServer, running, until

Publish = Callable[[str, bytes], None]

BACK = 30_000  # ms: the back-off waits up to 15 s between two tries


def example() -> str:
    """Return the page in the README."""
    return (ROOT / "README.md").read_text().partition("```html\n")[2].partition("```")[0]


class Site:
    """A web page on an origin of its own, which loads the client from `gateway`."""

    def __init__(self) -> None:
        self.html = ""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = site.html.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")  # as `python3 -m http.server` says
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    def open(self, page: Page, gateway: str) -> None:
        self.html = example().replace("http://127.0.0.1:5001", gateway)
        assert gateway in self.html
        page.goto(f"{self.origin}/")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    site = Site()
    threading.Thread(target=site.server.serve_forever, daemon=True).start()
    yield site
    site.server.shutdown()
    site.server.server_close()


@pytest.fixture(scope="module")
def allowing(
    site: Site, nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that lets the pages of the site connect."""
    log = tmp_path_factory.mktemp("client") / "log"
    with running(Gateway(nats_server.url, log=log, allowed_origins=site.origin)) as service:
        yield service


@pytest.fixture
def detour(allowing: Gateway) -> Iterator[Proxy]:
    """A way to the gateway that can be broken."""
    proxy = Proxy(allowing.port)
    proxy.start()
    yield proxy
    proxy.stop()


def part(page: Page, name: str) -> Locator:
    return page.locator(f"#{name}")


def expect_values(page: Page, publish: Publish, *values: float) -> None:
    """Publish values one by one; each has to be seen, however late the subscription is."""
    for value in values:
        expected = re.compile(f"^{re.escape(str(value))}$")
        for _ in range(50):
            publish("room.temperature", b'{"celsius": %r}' % value)
            try:
                expect(part(page, "value")).to_have_text(expected, timeout=500)
                break
            except AssertionError:
                continue
        expect(part(page, "value")).to_have_text(expected)


def test_the_ten_lines_of_the_readme_show_live_values(
    page: Page, site: Site, allowing: Gateway, publish: Publish
) -> None:
    assert len(example().splitlines()) == 10
    site.open(page, allowing.url)
    expect(part(page, "state")).to_have_text("open")
    expect(page.locator("p")).to_contain_text("– °C")
    expect_values(page, publish, 21.5, 22.25)
    expect(part(page, "gap")).to_be_empty()


def test_a_broken_connection_is_a_gap_and_values_come_again(
    page: Page, site: Site, detour: Proxy, publish: Publish
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    site.open(page, f"http://127.0.0.1:{detour.port}")
    expect_values(page, publish, 1.5)
    for value in (2.5, 3.5):
        page.evaluate("document.getElementById('gap').textContent = ''")
        detour.reset()
        missed = re.compile(r"^missed \d+ ms \(disconnected\)$")
        expect(part(page, "gap")).to_have_text(missed, timeout=BACK)
        expect_values(page, publish, value)


def test_an_outage_of_nats_is_a_gap_and_values_come_again(
    page: Page, site: Site, tmp_path: Path
) -> None:
    with running(NatsServer(tmp_path)) as nats:
        service = Gateway(nats.url, log=tmp_path / "log", allowed_origins=site.origin)
        with running(service):
            site.open(page, service.url)
            with RawNats(nats.port) as client:
                expect_values(page, client.publish, 1.5)
            nats.stop()
            nats.start()
            missed = re.compile(r"^missed \d+ ms \(nats_down\)$")
            expect(part(page, "gap")).to_have_text(missed, timeout=BACK)
            with RawNats(nats.port) as client:
                expect_values(page, client.publish, 2.5)
            page.goto("about:blank")  # before the gateway goes, which is no error of the page


def test_the_file_is_for_every_page_and_the_connection_is_not(
    page: Page, site: Site, gateway: Gateway
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    site.open(page, gateway.url)
    expect(part(page, "state")).to_contain_text(f"is {site.origin} in ALLOWED_ORIGINS?")
    until(lambda: f"refused a page of origin '{site.origin}'" in gateway.output())


@pytest.mark.parametrize(
    ("file", "stream"),
    [
        ("http://gateway.example/page/js/client.js", "ws://gateway.example/stream?batch=2"),
        (
            "https://gateway.example:8443/page/js/client.js",
            "wss://gateway.example:8443/stream?batch=2",
        ),
        (
            "https://gateway.example/nats/live/page/js/client.js",
            "wss://gateway.example/nats/live/stream?batch=2",
        ),
    ],
)
def test_the_stream_is_beside_the_file(page: Page, file: str, stream: str) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    source = (ROOT / "page" / "js" / "client.js").read_text()

    def answer(route: Route) -> None:
        script = route.request.url == file
        kind = "text/javascript" if script else "text/html"
        headers = {"Content-Type": kind, "Access-Control-Allow-Origin": "*"}
        route.fulfill(body=source if script else "<!doctype html>", headers=headers)

    page.route(re.compile("^https?://"), answer)
    page.goto("http://gateway.example/")
    with page.expect_websocket() as opened:
        page.evaluate("file => import(file).then(({ Client }) => { new Client() })", file)
    assert opened.value.url == stream
