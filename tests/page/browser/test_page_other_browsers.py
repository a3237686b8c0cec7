"""The page in Firefox and in WebKit, where they are installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.page.support.bidi import firefox
from tests.page.support.browser import installed_firefox, installed_webkit
from tests.page.support.driver import ENTER, ESCAPE, Driver
from tests.page.support.webdriver import webkit
from tests.support.servers import Gateway, until

BACKGROUND = "getComputedStyle(document.body).backgroundColor"
BINARY = bytes(range(200, 256))
EXACT = '{"id":12345678901234567890,"x":1.0,"s":"ü€😀<b>"}'
ROWS = """[...document.querySelectorAll("[data-testid=row]:not([hidden]) .row-payload")]
  .map(({ innerText }) => innerText)"""


@pytest.fixture(scope="module", params=["Firefox", "WebKit"])
def other(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """A browser that is not Chromium, for all tests of this file."""
    folder = tmp_path_factory.mktemp("profile")
    if request.param == "Firefox":
        if not (program := installed_firefox()):
            pytest.skip("no Firefox: install firefox-esr, or set FIREFOX")
        running = firefox(program, folder)
    else:
        if not (programs := installed_webkit()):
            pytest.skip("no WebKit: install webkit2gtk-driver and xvfb")
        running = webkit(*programs, folder)
    with running as driver:
        yield driver


@pytest.fixture
def browser(other: Driver) -> Iterator[Driver]:
    """A browser that is not Chromium; it may complain of nothing."""
    yield other
    assert not other.troubles()


def test_the_page_works_in_other_browsers(
    browser: Driver, gateway: Gateway, publish: Callable[[str, bytes], None], subject: str
) -> None:
    browser.go(f"{gateway.url}/")
    expect_state(browser, "idle")
    follow(browser, f"{subject}.*")
    publish(f"{subject}.exact", EXACT.encode())
    publish(f"{subject}.text", b"only words")
    until(lambda: browser.evaluate(ROWS) == [EXACT, "only words"])
    expect_state(browser, "live")

    browser.click("#pause")
    publish(f"{subject}.text", b"words while paused")
    until(lambda: browser.text("#pause") == "Resume (1 new)")
    assert browser.evaluate(ROWS) == [EXACT, "only words"]
    browser.click("#pause")
    until(lambda: browser.evaluate(ROWS) == [EXACT, "only words", "words while paused"])

    browser.click("#filter")
    browser.type("words")
    until(lambda: browser.text("#shown") == "2 of 3")
    until(lambda: browser.evaluate(ROWS) == ["only words", "words while paused"])

    browser.click("[data-testid=row]:not([hidden])")
    until(lambda: browser.text(".detail-payload") == "only words")
    browser.type(ESCAPE)
    browser.click("#view-switch [value=latest]")
    until(lambda: "words while paused" in browser.text("[data-testid=latest-row]:not([hidden])"))


def test_menus_fit_what_is_in_them_in_other_browsers(browser: Driver, gateway: Gateway) -> None:
    browser.go(f"{gateway.url}/")
    expect_state(browser, "idle")
    browser.click("[popovertarget=settings]")
    until(lambda: height(browser, "#settings") > 0)
    assert height(browser, "#settings") < 300
    browser.evaluate('document.getElementById("theme").focus()')
    browser.type("dark" + ENTER)
    until(lambda: browser.evaluate(BACKGROUND) == "rgb(15, 20, 24)")


def height(browser: Driver, selector: str) -> float:
    found = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().height"
    return float(browser.evaluate(found))


def expect_state(browser: Driver, state: str) -> None:
    until(lambda: browser.evaluate("document.body.dataset.state") == state)


def follow(browser: Driver, pattern: str) -> None:
    """Type a pattern into the field, and wait until the gateway has it."""
    browser.click("#subjects")
    browser.type(pattern + ENTER)
    chip = 'document.querySelector("#chips .chip")?.dataset.state'
    until(lambda: browser.evaluate(chip) == "active")
