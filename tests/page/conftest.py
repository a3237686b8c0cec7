"""A real browser for the tests of the page."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.page.support.browser import OPTIONS, installed
from tests.page.support.streams import Streams
from tests.page.support.viewer import Viewer
from tests.support.jetstream import jetstream
from tests.support.servers import Gateway, NatsServer, running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of the page.

    No longer: while Playwright's event loop is there, tests of others cannot have one.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def gateway(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway for the tests of a file; it drops nothing for a browser on a busy machine."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    settings = {"requests_per_second": 10000, "request_burst": 10000}
    patient = {"max_pending_bytes": 1_000_000_000, "write_timeout": 60}
    with running(Gateway(nats_server.url, log=log, **settings, **patient)) as service:
        yield service


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A fresh page, which fails the test if the browser reports an error or a CSP violation.

    A test that causes errors on purpose sets `page.allow_errors = True`.
    """
    context = chromium.new_context()
    page = context.new_page()
    troubles: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            troubles.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.allow_errors = False  # type: ignore[attr-defined]
    yield page
    context.close()
    assert page.allow_errors or not troubles, troubles  # type: ignore[attr-defined]


class Blank(BaseHTTPRequestHandler):
    """An empty page at any path."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def second_origin() -> Iterator[str]:
    """The URL of a page on the gateway's host, on another port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def subject() -> str:
    """A subject that no other test uses."""
    return f"page.{uuid.uuid4().hex[:8]}"


@pytest.fixture
def viewer(page: Page, gateway: Gateway) -> Viewer:
    """The page, open and connected, nothing followed yet."""
    return Viewer(page, gateway.url).open()


@pytest.fixture(scope="module")
def stream_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server with JetStream."""
    folder = tmp_path_factory.mktemp("jetstream")
    with running(NatsServer(folder, jetstream(folder))) as server:
        yield server


@pytest.fixture(scope="module")
def streams(stream_server: NatsServer) -> Streams:
    return Streams(stream_server)


@pytest.fixture(scope="module")
def stream_gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway beside it, through which the keys of buckets may be followed."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    settings = {"requests_per_second": 10000, "request_burst": 10000}
    allowed = {"allow_subjects": "> $KV.>"}
    with running(Gateway(stream_server.url, log=log, **settings, **allowed)) as service:
        yield service


@pytest.fixture
def stream_viewer(page: Page, stream_gateway: Gateway) -> Viewer:
    """The page in front of that gateway, nothing followed yet."""
    return Viewer(page, stream_gateway.url).open()
