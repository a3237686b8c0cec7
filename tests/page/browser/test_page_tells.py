"""The bell: what the page tells a reader who looks elsewhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import Publish
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, until

NOTIFICATIONS = """() => {
  globalThis.told = [];
  globalThis.asked = 0;
  class Fake {
    static permission = "default";
    static async requestPermission() { asked += 1; Fake.permission = "granted"; return "granted"; }
    constructor(title, { body }) { told.push(`${title}: ${body}`); }
  }
  globalThis.Notification = Fake;
}"""


def bell(viewer: Viewer) -> None:
    viewer.button("Tell me when").first.click()
    expect(viewer.page.locator("#tell-panel")).to_be_visible()


def told(page: Page) -> list[str]:
    found: list[str] = page.evaluate("told")
    return found


def test_a_match_is_counted_in_the_title_and_at_the_bell(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    bell(viewer)
    expect(viewer.button("Set a filter, to be told when it matches")).to_be_disabled()
    viewer.page.keyboard.press("Escape")
    viewer.page.get_by_test_id("filter").fill("level:error")
    bell(viewer)
    viewer.button("Tell me when “level:error” matches").click()
    expect(viewer.page.locator("#tell-silence")).to_be_focused()
    expect(viewer.button("Tell me when “level:error” matches")).to_be_disabled()
    viewer.page.keyboard.press("Escape")
    viewer.page.get_by_test_id("filter").fill("")
    publish(subject, b'{"level":"info"}')
    for _ in range(3):
        publish(subject, b'{"level":"error"}')
    expect(viewer.button("Tell me when: 3 new")).to_have_text("3")
    expect(viewer.page).to_have_title(re.compile(r"^\(3\) .*NATS live$"))
    bell(viewer)
    expect(viewer.page.locator("#tell-rules")).to_contain_text("3 times")
    expect(viewer.page).not_to_have_title(re.compile(r"^\("))
    viewer.button("Do not tell of level:error").click()
    expect(viewer.page.locator("#tell-rules li")).to_have_count(0)


def test_notifications_are_asked_for_on_a_press_only_and_come_together(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.evaluate(f"({NOTIFICATIONS})()")
    viewer.follow(subject)
    viewer.page.get_by_test_id("filter").fill("error")
    bell(viewer)
    viewer.button("Tell me when “error” matches").click()
    assert viewer.page.evaluate("asked") == 0
    viewer.page.get_by_label("as a notification of the desktop").click()
    until(lambda: viewer.page.evaluate("asked") == 1)
    expect(viewer.page.get_by_label("as a notification of the desktop")).to_be_checked()
    for number in range(5):
        publish(subject, b'"error %d"' % number)
    until(lambda: told(viewer.page) == [f'{subject}: "error 0"'])
    until(lambda: f'{subject}: "error 1", and 3 more' in told(viewer.page))


def test_a_silent_subscription_turns_amber_and_is_told(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.clock.install()
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    bell(viewer)
    page.get_by_label("If nothing comes for").select_option("1 min")
    page.keyboard.press("Escape")
    for _ in range(4):  # in steps: a longer one would be a sleep
        page.clock.fast_forward(20_000)
    expect(viewer.chip(subject)).to_contain_text(re.compile(r"silent \d+ (s|min)"))
    expect(viewer.button("Tell me when: 1 new")).to_be_visible()
    publish(subject, b"1")
    page.clock.run_for(3_000)
    expect(viewer.chip(subject)).not_to_contain_text("silent")
    context.close()


def test_what_is_to_be_told_is_remembered(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    viewer.page.get_by_test_id("filter").fill("error")
    bell(viewer)
    viewer.button("Tell me when “error” matches").press("Enter")
    viewer.page.get_by_label("with a tone").press(" ")
    viewer.page.reload()
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    publish(subject, b'"error"')
    expect(viewer.button("Tell me when: 1 new")).to_be_visible()
    bell(viewer)
    expect(viewer.page.get_by_label("with a tone")).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_at_the_bell(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    viewer = Viewer(context.new_page(), gateway.url).open()
    viewer.follow(subject)
    viewer.page.get_by_test_id("filter").fill("error")
    bell(viewer)
    viewer.button("Tell me when “error” matches").click()
    assert violations(viewer.page) == []
    viewer.page.keyboard.press("Escape")
    publish(subject, b'"error"')
    expect(viewer.button("Tell me when: 1 new")).to_be_visible()
    assert violations(viewer.page) == []
    context.close()
