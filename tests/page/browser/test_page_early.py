"""The page before its scripts are there, and when one of them does not come."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

LAST = re.compile(r"/page/js\.\w+/all\.js$")


@pytest.fixture
def held(page: Page, gateway: Gateway) -> Iterator[Callable[[], None]]:
    """Open the page without its scripts; what is returned lets them come."""
    routes: list[Route] = []
    page.route(LAST, lambda route: routes.append(route))
    page.goto(f"{gateway.url}/", wait_until="commit")
    expect(page.locator("#announcer")).to_be_attached()
    yield lambda: [route.continue_() for route in routes] and None


@pytest.mark.parametrize("way", ["Enter", "button"])
def test_a_subject_entered_before_the_scripts_are_there_is_followed(
    page: Page, gateway: Gateway, held: Callable[[], None], way: str
) -> None:
    viewer = Viewer(page, gateway.url)
    viewer.field.fill("early.one")
    if way == "Enter":
        viewer.field.press("Enter")
    else:
        viewer.button("Subscribe").click()
    expect(viewer.field).to_have_value("early.one")
    assert page.url == f"{gateway.url}/"
    held()
    expect(viewer.chip("early.one")).to_have_attribute("data-state", "active")
    expect(viewer.field).to_have_value("")
    viewer.follow("later.one")


def test_what_is_typed_and_not_entered_stays_and_keeps_the_focus(
    page: Page, gateway: Gateway, held: Callable[[], None]
) -> None:
    viewer = Viewer(page, gateway.url)
    viewer.field.focus()
    page.keyboard.type("half a")
    held()
    viewer.expect_state("idle")
    page.keyboard.type(".subject")
    expect(viewer.field).to_have_value("half a.subject")
    expect(page.get_by_test_id("chip")).to_have_count(0)


def test_a_button_pressed_before_the_scripts_are_there_does_its_work(
    page: Page, gateway: Gateway, held: Callable[[], None]
) -> None:
    viewer = Viewer(page, gateway.url)
    viewer.button("test.subject").click()
    viewer.button("Help").click()
    held()
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer.chip("test.subject")).to_have_attribute("data-state", "active")
    viewer.button("Help").click()
    page.locator("#help").get_by_role("button", name="Close").click()
    expect(page.locator("#help")).to_be_hidden()


def test_until_the_scripts_are_there_only_what_works_is_shown(
    page: Page, held: Callable[[], None]
) -> None:
    expect(page.locator("#state-word")).to_have_text("Connecting")
    expect(page.locator("#empty")).to_be_visible()
    for section in ("#looking", "#actions", "#lost", "#messages"):
        expect(page.locator(section)).to_be_hidden()
    assert violations(page) == []


def test_a_link_with_subjects_shows_no_greeting_meanwhile(page: Page, gateway: Gateway) -> None:
    routes: list[Route] = []
    page.route(LAST, lambda route: routes.append(route))
    page.goto(f"{gateway.url}/#s=linked.one", wait_until="commit")
    expect(page.locator("#announcer")).to_be_attached()
    expect(page.locator("#empty")).to_be_hidden()
    for route in routes:
        route.continue_()
    viewer = Viewer(page, gateway.url)
    expect(viewer.chip("linked.one")).to_have_attribute("data-state", "active")
    viewer.button("Unsubscribe linked.one").click()
    expect(page.locator("#empty")).to_be_visible()


def test_a_joined_file_that_does_not_arrive_is_told_too(page: Page, gateway: Gateway) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    page.route(LAST, lambda route: route.abort())
    page.goto(f"{gateway.url}/")
    expect(page.get_by_text("This page did not load completely.")).to_be_visible()
    assert violations(page) == []


def test_the_page_asks_for_little_and_the_second_time_for_less(
    page: Page, gateway: Gateway
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(gateway.url)))
    viewer = Viewer(page, gateway.url).open()
    files = [each for each in asked if each.startswith("/page/")]
    assert len(set(files)) == 2, files
    page.goto("about:blank")
    viewer.open()
    transferred = page.evaluate(
        "performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/all.js'))"
        ".map(({ transferSize }) => transferSize)"
    )
    assert transferred == [0]


def test_each_file_on_its_own_makes_the_same_page(
    page: Page, gateway: Gateway, publish: Callable[[str, bytes], None]
) -> None:
    page.goto(f"{gateway.url}/?files=single")
    viewer = Viewer(page, gateway.url)
    viewer.expect_state("idle")
    viewer.follow("single.one")
    publish("single.one", b'"here"')
    expect(viewer.row("here")).to_have_count(1)
    assert page.evaluate("performance.getEntriesByType('resource').length") > 60


@pytest.mark.parametrize("lost", ["js/view/chips.js", "js/main.js", "css/app.css"])
def test_a_file_that_does_not_arrive_is_told_with_a_way_out(
    page: Page, gateway: Gateway, lost: str
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    page.route(f"**/page/{lost}", lambda route: route.abort())
    page.goto(f"{gateway.url}/?files=single")
    told = page.get_by_text("This page did not load completely.")
    expect(told).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Reload").click()
    Viewer(page, gateway.url).expect_state("idle")
    expect(told).to_have_count(0)


def test_a_file_of_another_version_is_told_too(page: Page, gateway: Gateway) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    other = {"body": "export const other = 1;", "content_type": "text/javascript"}
    page.route("**/page/js/view/chips.js", lambda route: route.fulfill(**other))
    page.goto(f"{gateway.url}/?files=single")
    expect(page.get_by_text("This page did not load completely.")).to_be_visible()


def test_a_file_that_hangs_is_told_after_a_while_and_not_any_more_when_it_is_there(
    page: Page, gateway: Gateway
) -> None:
    page.clock.install()
    routes: list[Route] = []
    page.route(LAST, lambda route: routes.append(route))
    page.goto(f"{gateway.url}/", wait_until="commit")
    expect(page.locator("#announcer")).to_be_attached()
    told = page.get_by_text("This page did not load completely.")
    page.clock.run_for(9_000)
    expect(told).to_be_hidden()
    page.clock.run_for(2_000)
    expect(told).to_be_visible()
    for route in routes:
        route.continue_()
    expect(told).to_have_count(0)
