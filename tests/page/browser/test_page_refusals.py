"""The page says why it is refused: a browser tells it nothing of a WebSocket that fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from websockets.sync.client import connect

from tests.page.browser.test_page_client import Site, site  # noqa: F401
from tests.page.support.browser import OPTIONS, installed
from tests.page.support.front import Front
from tests.support.servers import Gateway, NatsServer, running

REFUSED_BY_NATS = 25_000
"""ms: the gateway has to find NATS first, and the page to ask for a second time at worst."""


@pytest.fixture(autouse=True)
def errors_are_meant(page: Page) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]


def expect_reason(page: Page, reason: str, timeout: float = 5_000) -> None:
    body = page.locator("body")
    expect(body).to_have_attribute("data-state", "reconnecting", timeout=timeout)
    expect(page.locator("#state-hint")).to_contain_text(reason, timeout=timeout)


def test_a_page_under_a_name_that_is_not_allowed_is_told_so(
    chromium: Browser, gateway: Gateway
) -> None:
    rules = "--host-resolver-rules=MAP gateway.example 127.0.0.1"
    browser = chromium.browser_type.launch(executable_path=installed(), args=[*OPTIONS, rules])
    try:
        page = browser.new_page()
        address = f"http://gateway.example:{gateway.port}"
        page.goto(f"{address}/")
        expect_reason(page, f"this page's address {address} is not in ALLOWED_ORIGINS")
    finally:
        browser.close()


@pytest.fixture
def front(gateway: Gateway) -> Iterator[Front]:
    with running(Front(gateway)) as front:
        yield front


def test_a_proxy_that_drops_the_upgrade_is_named(page: Page, front: Front) -> None:
    page.goto(f"{front.url}/")
    expect_reason(page, "something between here and the gateway does not pass WebSockets on")
    expect(page.locator("#announcer")).to_contain_text("does not pass WebSockets on")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((401, {}), "asks for a password (401)"),
        ((302, {"Location": "https://login.example/"}), "leads to another page"),
        ((502, {}), "what stands before the gateway cannot reach it (502)"),
        ((404, {}), "something else than the gateway answers there (404)"),
    ],
)
def test_what_a_proxy_says_instead_is_told(
    page: Page, front: Front, answer: tuple[int, dict[str, str]], reason: str
) -> None:
    front.answer = answer
    page.goto(f"{front.url}/")
    expect_reason(page, reason)


def test_a_full_gateway_says_that_it_is_full_and_lets_in_who_comes_when_it_is_not(
    page: Page, nats_server: NatsServer, log: Path
) -> None:
    with running(Gateway(nats_server.url, log=log, max_connections=1)) as service:
        with connect(service.stream, proxy=None) as first:
            first.recv()
            page.goto(f"{service.url}/")
            expect_reason(page, "the gateway is full")
        expect(page.locator("body")).to_have_attribute("data-state", "idle", timeout=30_000)


def test_a_gateway_that_is_gone_does_not_answer(
    page: Page, nats_server: NatsServer, log: Path
) -> None:
    service = Gateway(nats_server.url, log=log)
    with running(service):
        page.goto(f"{service.url}/")
        expect(page.locator("body")).to_have_attribute("data-state", "idle")
    expect_reason(page, "the gateway does not answer", 15_000)


def test_a_page_of_another_origin_is_told_as_much_as_it_may_know(
    page: Page,
    site: Site,  # noqa: F811
    gateway: Gateway,
) -> None:
    site.html = f"""<!doctype html><p id=reason></p><script type=module>
      import {{ Client }} from "{gateway.url}/page/js/client.js";
      const client = new Client();
      client.addEventListener("state", () => {{ reason.textContent = client.reason; }});
    </script>"""
    page.goto(f"{site.origin}/")
    reason = f"not for this page to read: is {site.origin} in ALLOWED_ORIGINS?"
    expect(page.locator("#reason")).to_contain_text(reason)


def test_credentials_that_nats_refuses_are_named(page: Page, tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path)) as nats, running(Gateway(nats.url, log=log)) as service:
        page.goto(f"{service.url}/#s=a")
        expect(page.locator("body")).to_have_attribute("data-state", "waiting")
        nats.stop()
        nats.configure('authorization { user: gateway, password: "other" }\n')
        nats.start()
        expect_reason(page, "NATS refuses the gateway's credentials", REFUSED_BY_NATS)
        nats.reload("")
        expect(page.locator("body")).to_have_attribute("data-state", "waiting", timeout=20_000)
