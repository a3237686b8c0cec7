"""What was missed, as Latest and the counters tell it, which have no line between messages."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.browser.test_page_latest import row
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]


@pytest.fixture
def cut(page: Page) -> Callable[[], None]:
    """Return what ends the page's connection."""
    routes: list[WebSocketRoute] = []

    def handle(route: WebSocketRoute) -> None:
        route.connect_to_server()
        routes.append(route)

    page.route_web_socket(re.compile("/stream"), handle)
    return lambda: routes[-1].close(code=1001)


def test_a_gap_is_told_in_latest_until_it_is_dismissed_and_found_in_log(
    page: Page, gateway: Gateway, publish: Publish, subject: str, cut: Callable[[], None]
) -> None:
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(f"{subject}.*")
    viewer.button("Latest").click()
    publish(f"{subject}.fresh", b'"before"')
    publish(f"{subject}.quiet", b'"before"')
    expect(row(viewer, f"{subject}.quiet")).to_be_visible()
    gaps = page.get_by_test_id("gaps")
    band = page.get_by_test_id("missed")
    expect(gaps).to_be_hidden()
    expect(band).to_be_hidden()
    cut()
    expect(band).to_contain_text(
        "disconnected. Values may be older than they look.", timeout=20_000
    )
    publish(f"{subject}.fresh", b'"after"')
    expect(row(viewer, f"{subject}.fresh")).to_contain_text("after")
    doubtful = page.locator(".latest-row:not([hidden]) .doubtful")
    expect(doubtful).to_have_count(1)
    expect(row(viewer, f"{subject}.quiet").locator(".doubtful")).to_have_count(1)
    expect(gaps).to_have_text(re.compile(r"^1 · last \d\d:\d\d:\d\d, .*s$"))
    assert violations(page) == []
    page.get_by_role("button", name="Dismiss").click()
    expect(band).to_be_hidden()
    expect(page.locator("#latest-grid")).to_be_focused()
    for number in range(60):
        publish(f"{subject}.fresh", str(number).encode())
    viewer.expect_figure("received", "63")
    gaps.click()
    note = page.locator(".row.note:not([hidden])")
    expect(note).to_be_in_viewport()
    expect(note).to_have_attribute("aria-selected", "true")
    viewer.button("Latest").click()
    cut()
    expect(band).to_be_visible(timeout=20_000)
    expect(gaps).to_contain_text("2 · last")
