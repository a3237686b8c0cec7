"""The page on a screen that hangs on a wall."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import Publish
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running


def is_wall(page: Page) -> None:
    expect(page.locator("html")).to_have_class(re.compile(r"\bwall\b"))


def test_a_link_leads_to_a_wall_and_escape_shows_the_controls_for_a_while(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.clock.install()
    viewer = Viewer(page, gateway.url).open(f"#s={subject}&v=latest&ui=wall")
    is_wall(page)
    publish(subject, b'{"n":1}')
    page.clock.run_for(2_000)
    expect(page.get_by_test_id("latest-row").filter(visible=True)).to_have_count(1)
    expect(page.locator("#wall-clock")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    for hidden in (viewer.field, page.get_by_test_id("filter"), page.get_by_test_id("received")):
        expect(hidden).to_be_hidden()
    page.keyboard.press(" ")
    page.clock.run_for(1_000)
    viewer.expect_state("live")
    page.keyboard.press("Escape")
    expect(viewer.field).to_be_visible()
    page.clock.run_for(29_000)
    page.keyboard.press(" ")
    page.clock.run_for(29_000)
    viewer.expect_state("paused")
    expect(viewer.field).to_be_visible()
    page.clock.run_for(2_000)
    expect(viewer.field).to_be_hidden()
    viewer.expect_state("live")
    context.close()


def test_it_is_entered_and_left_by_the_star_and_the_address_says_so(
    viewer: Viewer, subject: str
) -> None:
    viewer.follow(subject)
    viewer.page.keyboard.press("Escape")
    viewer.page.keyboard.press(" ")
    viewer.expect_state("paused")
    viewer.button("Saved views and files").click()
    viewer.button("Show as a wall").click()
    is_wall(viewer.page)
    viewer.expect_state("waiting")
    expect(viewer.page).to_have_url(re.compile(r"ui=wall$"))
    expect(viewer.page.get_by_test_id("toast")).to_contain_text("Esc, or a touch, shows")
    viewer.page.keyboard.press("Escape")
    viewer.button("Saved views and files").click()
    viewer.button("Leave the wall view").click()
    expect(viewer.page).not_to_have_url(re.compile("ui=wall"))
    viewer.page.go_back()
    is_wall(viewer.page)


def test_a_touch_shows_the_controls(chromium: Browser, gateway: Gateway, subject: str) -> None:
    context = chromium.new_context(has_touch=True, viewport={"width": 360, "height": 640})
    viewer = Viewer(context.new_page(), gateway.url).open(f"#s={subject}&ui=wall")
    expect(viewer.field).to_be_hidden()
    viewer.page.touchscreen.tap(180, 300)
    expect(viewer.field).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_frozen_wall_looks_like_one_and_says_since_when(
    chromium: Browser, tmp_path: Path, subject: str, nats_server: NatsServer, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    with running(Gateway(nats_server.url, log=tmp_path / "log")) as service:
        Viewer(page, service.url).open(f"#s={subject}&ui=wall")
        is_wall(page)
        page.evaluate("document.getElementById('toast').hidden = true")
        assert violations(page) == []
        expect(page.get_by_test_id("stale")).to_be_hidden()
    expect(page.get_by_test_id("stale")).to_have_text(
        re.compile(r"^No data since \d\d:\d\d:\d\d$"), timeout=30_000
    )
    expect(page.locator("html")).to_have_class(re.compile("stale"))
    assert violations(page) == []
    context.close()
