"""The script of the README, for pages without our client, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page

from tests.page.browser.test_page_client import Publish, Site, allowing, detour, site  # noqa: F401
from tests.support import readme
from tests.support.proxy import Proxy
from tests.support.servers import Gateway, NatsServer, running

TRIES = 200
"""Each of 100 ms: the script waits up to 5 s until it connects again."""


def test_the_script_of_the_readme_gets_messages_and_comes_back(
    page: Page,
    site: Site,  # noqa: F811
    allowing: Gateway,  # noqa: F811
    detour: Proxy,  # noqa: F811
    publish: Publish,
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    logged: list[list[object]] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "log":
            logged.append([each.json_value() for each in message.args])

    page.on("console", listen)
    script = readme.block("js").replace("127.0.0.1:5001", f"127.0.0.1:{detour.port}")
    assert script != readme.block("js")
    site.html = f"<!doctype html><script>{script}</script>"
    page.goto(f"{site.origin}/")
    for first in (0, 1000):
        expect_one_of(range(first, first + TRIES), page, publish, logged)
        detour.reset()


def test_the_event_source_of_the_documentation_logs_messages_and_notices(
    page: Page,
    nats_server: NatsServer,
    site: Site,  # noqa: F811
    log: Path,
    publish: Publish,
) -> None:
    logged: list[object] = []
    page.on("console", lambda message: logged.append(message.args[0].json_value()))
    with running(Gateway(nats_server.url, log=log, allowed_origins=site.origin)) as service:
        script = readme.block("javascript").replace("127.0.0.1:5001", f"127.0.0.1:{service.port}")
        site.html = f'<!doctype html><link rel="icon" href="data:,"><script>{script}</script>'
        page.goto(f"{site.origin}/")
        for _ in range(TRIES):
            publish("orders.new", b'{"price": 1}')
            page.wait_for_timeout(100)
            if {"subject": "orders.new", "data": {"price": 1}} in logged:
                break
        assert {"subject": "orders.new", "data": {"price": 1}} in logged
        assert any("connection_id" in each for each in logged if isinstance(each, dict))
        page.goto("about:blank")


def expect_one_of(prices: range, page: Page, publish: Publish, logged: list[list[object]]) -> None:
    """Publish until one of the messages is logged, however late the subscription is."""
    for price in prices:
        publish("orders.new", b'{"price": %d}' % price)
        page.wait_for_timeout(100)
        if any([*each] == ["orders.new", {"price": n}] for each in logged for n in prices):
            return
    raise AssertionError(f"none was logged: {logged}")
