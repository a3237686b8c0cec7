"""A real browser for the tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.page.browser import OPTIONS, installed


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed(), args=OPTIONS)
        yield browser
        browser.close()


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
