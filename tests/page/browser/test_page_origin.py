"""A real browser on a page of another origin gets nothing."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.support.servers import Gateway, until

CONNECT = """url => new Promise(done => {
  const ws = new WebSocket(url);
  ws.onmessage = ({ data }) => done(data);
  ws.onclose = ({ code }) => done(code);
})"""
POST = """url => fetch(url, { method: "POST", body: '{"subjects": ["a"]}', mode: "no-cors" })
  .then(() => "sent")"""


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
