"""The page over https, with its WebSocket over wss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.service.access.test_https import Secure
from tests.support.certificates import Authority
from tests.support.servers import NatsServer, running


def test_the_page_works_over_https(
    chromium: Browser,
    nats_server: NatsServer,
    publish: Callable[[str, bytes], None],
    tmp_path: Path,
) -> None:
    service = Secure(nats_server.url, tmp_path)
    service.install(Authority(tmp_path / "ca"))
    with running(service):
        context = chromium.new_context(ignore_https_errors=True)
        page = context.new_page()
        streams: list[str] = []
        page.on("websocket", lambda socket: streams.append(socket.url))
        page.goto(f"{service.url}/")
        page.get_by_test_id("field").fill("secure.page")
        page.get_by_test_id("field").press("Enter")
        expect(page.get_by_test_id("chip")).to_have_attribute("data-state", "active")
        publish("secure.page", b'"over wss"')
        expect(page.get_by_test_id("row").filter(has_text="over wss", visible=True)).to_have_count(
            1
        )
        context.close()
    assert streams and streams[0].startswith(f"{service.stream}")
