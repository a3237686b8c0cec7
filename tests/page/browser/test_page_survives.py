"""The page after what browsers and computers do to it: put aside, frozen, with another clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.support.browser import OPTIONS, installed
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running

Publish = Callable[[str, bytes], None]

HOUR = 3_600_000
CLOCK = """
let ahead = 0;
const real = Date.now.bind(Date);
Date.now = () => real() + ahead;
globalThis.setClock = (by) => (ahead += by);
"""


@pytest.fixture(scope="module")
def keeping(chromium: Browser) -> Iterator[Browser]:
    """A browser that keeps pages to go back to, as it does for its readers but not for tests."""
    browser = chromium.browser_type.launch(
        executable_path=installed(),
        args=OPTIONS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


def test_a_page_that_is_gone_back_to_is_the_same_and_tells_what_it_missed(
    keeping: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    page = keeping.new_page()
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    page.evaluate("document.documentElement.dataset.mark = 'the same'")
    connections = gateway.figures()["bridge_connections"]
    page.goto(f"{gateway.url}/livez")
    page.wait_for_timeout(1_500)
    assert gateway.figures()["bridge_connections"] == connections - 1, "nothing is held meanwhile"
    publish(subject, b'"away"')
    # Playwright waits for a load that does not come, so the page goes back by itself.
    page.evaluate("setTimeout(() => history.back())")
    expect(page.locator("html")).to_have_attribute("data-mark", "the same")
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    publish(subject, b'"after"')
    expect(viewer.row("after")).to_have_count(1)
    note = page.locator(".row.note:not([hidden])")
    expect(note).to_have_count(1)
    expect(note).to_contain_text("messages in between were not received")
    expect(viewer.row("away")).to_have_count(0)
    page.close()


@pytest.fixture
def clocked(page: Page, gateway: Gateway, subject: str) -> Viewer:
    """A page that follows a subject, and whose clock can be set."""
    page.add_init_script(CLOCK)
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    return viewer


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_clock_that_is_set_changes_no_more_than_the_times(
    clocked: Viewer, publish: Publish, subject: str, by: int
) -> None:
    page = clocked.page
    publish(subject, b'{"n": 1}')
    expect(clocked.row('"n": 1')).to_have_count(1)
    page.evaluate(f"setClock({by})")
    publish(subject, b'{"n": 2}')
    expect(clocked.row('"n": 2')).to_have_count(1)
    clocked.expect_state("live")
    assert "-" not in page.locator("#kept-span").inner_text()
    clocked.row('"n": 2').click()
    page.get_by_role("tab", name="Diff").click()
    expect(page.locator(".detail-note")).to_contain_text("before")
    assert "-" not in page.locator(".detail-note").inner_text()
    clocked.button("Latest").click()
    age = page.locator("[data-testid=latest-row]:not([hidden]) .latest-age")
    expect(age).to_have_text(re.compile(r"^(now|\d s)$"))
    notes = page.locator(".row.note:not([hidden])")  # around midnight the day is another one
    expect(notes.filter(has_text="not received")).to_have_count(0)


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["forward", "back"])
def test_a_gap_and_a_wait_are_as_long_as_they_are_whatever_the_clock_says(
    page: Page, nats_server: NatsServer, log: Path, by: int
) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    page.add_init_script(CLOCK)
    service = Gateway(nats_server.url, log=log)
    with running(service):
        viewer = Viewer(page, service.url).open()
        viewer.follow("clocks")
        service.stop()
        viewer.expect_state("reconnecting")
        page.evaluate(f"setClock({by})")
        expect(page.locator("#state-hint")).to_contain_text(re.compile(r"^in \d+ s"))
        seconds = page.locator("#state-hint").inner_text().split()[1]
        assert 1 <= int(seconds) <= 16
        service.start()
        note = page.locator(".row.note:not([hidden])")
        expect(note).to_contain_text("disconnected", timeout=30_000)
        begin, end = re.findall(r"\d\d:(\d\d):\d\d", note.inner_text())
        # A clock that was put forward may as well be one of a computer that slept for an hour.
        assert by > 0 or (int(end) - int(begin)) % 60 <= 1
