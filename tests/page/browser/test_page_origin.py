"""A real browser on a page of another origin gets nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

from tests.support.servers import Gateway, until

CONNECT = """url => new Promise(done => {
  const ws = new WebSocket(url);
  ws.onmessage = ({ data }) => done(data);
  ws.onclose = ({ code }) => done(code);
})"""
POST = """url => fetch(url, { method: "POST", body: '{"subjects": ["a"]}', mode: "no-cors" })
  .then(() => "sent")"""


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


def test_a_page_of_a_second_origin_is_refused(
    page: Page, gateway: Gateway, second_origin: str
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    before = gateway.figures()['bridge_refused_total{reason="origin"}']
    page.goto(f"{gateway.url}/livez")
    assert "Successfully connected" in page.evaluate(CONNECT, gateway.stream)
    page.goto(second_origin)
    assert page.evaluate(CONNECT, gateway.stream) == 1006
    assert page.evaluate(POST, f"{gateway.url}/stream") == "sent"
    assert gateway.figures()['bridge_refused_total{reason="origin"}'] == before + 2
    # Once for both; a thread writes the log, and takes its time.
    refused = f"refused a page of origin '{second_origin}'"
    until(lambda: gateway.output().count(refused) == 1)
