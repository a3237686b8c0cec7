"""The page in browsers of 2022, without popovers and what else came later; and in older ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.page.support.browser import OPTIONS, installed
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]

LATER = {
    " popover": " data-popover",
    " popovertarget=": " data-popovertarget=",
    ":popover-open": ":no-such-pseudo",
    "light-dark(": "no-such-function(",
    "color-mix(": "no-such-function(",
    "dvh": "nosuchunit",
    ':modal"': ':no-such-pseudo"',
    ":has(": ":no-such-pseudo(",
    "content-visibility": "no-such-property",
}
"""What a browser of 2022 does not know, and what stands for that here."""

FILES = re.compile(r"/(page/[^?]*)?$")
"""The page and its files; a WebSocket is none of them."""

GONE = """
for (const name of ["popover", "showPopover", "hidePopover", "togglePopover", "translate"])
  delete HTMLElement.prototype[name];
for (const name of ["popoverTargetElement", "popoverTargetAction"])
  delete HTMLButtonElement.prototype[name];
for (const name of ["role", ...Object.keys(Object.getOwnPropertyDescriptors(Element.prototype))])
  if (name === "role" || name.startsWith("aria")) delete Element.prototype[name];
delete globalThis.structuredClone;
for (const name of ["findLast", "toSorted", "toReversed", "with"]) delete Array.prototype[name];
for (const name of ["hasOwn", "groupBy"]) delete Object[name];
for (const name of ["withResolvers", "try"]) delete Promise[name];
for (const name of ["any", "timeout"]) delete AbortSignal[name];
"""


def without(later: dict[str, str]) -> Callable[[Route], None]:
    """Serve the files of the page as a browser sees them that does not know `later`."""

    def handle(route: Route) -> None:
        response = route.fetch()
        text = response.text()
        for known, unknown in later.items():
            text = re.sub(re.escape(known) + r"(?![\w-])" * known.isalpha(), unknown, text)
        # The styles in the page are others now than those that the policy names.
        dropped = ("content-security-policy", "content-encoding", "content-length")
        headers = {name: value for name, value in response.headers.items() if name not in dropped}
        route.fulfill(response=response, body=text, headers=headers)

    return handle


@pytest.fixture(scope="module")
def lenient(chromium: Browser) -> Iterator[Browser]:
    """A browser that lets a page connect to this machine although the test changed its files."""
    options = [*OPTIONS, "--disable-features=LocalNetworkAccessChecks"]
    browser = chromium.browser_type.launch(executable_path=installed(), args=options)
    yield browser
    browser.close()


@pytest.fixture(params=["light", "dark"])
def older(lenient: Browser, gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[Viewer]:
    context = lenient.new_context(color_scheme=request.param)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(GONE)
    page.route(FILES, without(LATER))
    yield Viewer(page, gateway.url).open()
    page.unroute_all(behavior="wait")  # an icon may be on its way, and could not be read any more
    context.close()
    assert not errors


def settings(viewer: Viewer) -> Locator:
    return viewer.page.locator("#settings")


def colours(page: Page) -> list[str]:
    found: list[str] = page.evaluate(
        """() => {
          const body = getComputedStyle(document.body);
          const button = getComputedStyle(document.querySelector(".button.primary"));
          const { colorScheme } = getComputedStyle(document.documentElement);
          return [body.backgroundColor, body.color, button.backgroundColor, colorScheme];
        }"""
    )
    return found


LIGHT = ["rgb(255, 255, 255)", "rgb(27, 34, 41)", "rgb(10, 98, 184)", "light"]
DARK = ["rgb(15, 20, 24)", "rgb(228, 233, 238)", "rgb(105, 177, 255)", "dark"]


def test_it_has_its_colours_and_takes_those_of_the_settings(older: Viewer) -> None:
    is_dark = older.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert colours(older.page) == (DARK if is_dark else LIGHT)
    for choice, expected in (("dark", DARK), ("light", LIGHT)):
        older.prefer("Theme", choice)
        assert colours(older.page) == expected
    older.prefer("Theme", "as the system")
    assert colours(older.page) == (DARK if is_dark else LIGHT)


def test_its_menus_are_closed_until_they_are_opened_and_close_again(older: Viewer) -> None:
    page, button = older.page, older.button("Settings")
    older.follow("older")
    for popup in page.locator(".popup").all():
        expect(popup).to_be_hidden()
    button.click()
    expect(settings(older)).to_be_visible()
    assert page.locator("#settings").bounding_box()["height"] < 300  # type: ignore[index]
    page.keyboard.press("Escape")
    expect(settings(older)).to_be_hidden()
    button.click()
    button.click()
    expect(settings(older)).to_be_hidden()
    button.click()
    page.locator(".foot").click()
    expect(settings(older)).to_be_hidden()


def test_a_letter_means_nothing_while_a_menu_is_open(
    older: Viewer, publish: Publish, subject: str
) -> None:
    older.follow(subject)
    publish(subject, b'"first"')
    expect(older.row("first")).to_have_count(1)
    older.button("Settings").click()
    older.page.locator("#theme").focus()
    older.page.locator("#messages").evaluate("(element) => element.focus()")
    older.page.keyboard.press("x")
    expect(older.row("first")).to_have_count(1)
    older.page.keyboard.press("Escape")
    older.page.keyboard.press("x")
    expect(older.row("first")).to_have_count(0)


def test_messages_open_and_their_menus_and_tabs_work(
    older: Viewer, publish: Publish, subject: str
) -> None:
    page = older.page
    older.follow(subject)
    for value in (1, 2):
        publish(subject, b'{"error":"error","value":%d}' % value)
    older.row('"value":2').click()
    expect(older.detail).to_be_visible()
    page.get_by_role("button", name='"error"').click()
    page.get_by_role("menuitem", name="Filter to this value").click()
    expect(page.get_by_test_id("filter")).to_have_value('""error":"error""')
    expect(page.locator("#detail .menu")).to_be_hidden()
    page.get_by_role("tab", name="Raw").click()
    expect(page.get_by_test_id("payload")).to_have_text('{"error":"error","value":2}')
    expect(page.get_by_role("tab", name="Raw")).to_have_attribute("aria-selected", "true")
    page.locator(".detail-subject").click()
    expect(page.get_by_role("menuitem", name="Copy subject")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#detail .menu")).to_be_hidden()
    expect(page.locator(".detail-subject")).to_be_focused()
    expect(older.detail).to_be_visible()
    page.locator("#export").click()
    with page.expect_download() as held:
        older.button("All kept as NDJSON").click()
    assert held.value.suggested_filename.endswith(".ndjson")
    expect(page.locator("#export-menu")).to_be_hidden()


def test_on_a_phone_a_menu_opens_over_the_message(
    lenient: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    context = lenient.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.add_init_script(GONE)
    page.route(FILES, without(LATER))
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    publish(subject, b'{"name":"value"}')
    viewer.row("value").tap()
    page.get_by_role("button", name='"value"').tap()
    page.get_by_role("menuitem", name="Exclude this value").tap()
    expect(page.locator("#detail .menu")).to_be_hidden()
    expect(page.get_by_test_id("filter")).to_have_value('-""name":"value""')
    page.unroute_all(behavior="wait")
    context.close()


def test_a_browser_that_is_too_old_is_told_so_in_one_sentence(page: Page, gateway: Gateway) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    too_old = page.locator(".too-old")
    page.goto(gateway.url)
    expect(too_old).to_be_hidden()
    page.route(f"{gateway.url}/", without({"accent-color": "no-such-property"}))
    page.route(
        "**/all.js",
        lambda route: route.fulfill(body="class { #private", content_type="text/javascript"),
    )
    page.reload()
    expect(too_old).to_be_visible()
    expect(too_old).to_contain_text(
        "needs a newer browser: Chrome or Edge 93, Firefox 98, Safari 15.4"
    )
    page.unroute_all(behavior="wait")  # or a style sheet would come after the end
