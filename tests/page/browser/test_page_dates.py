"""Times of day in a page that has been open for more than one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]

EVENING = datetime.datetime(2026, 11, 26, 22, 58, 0)  # in the zone of the browser
NEXT_NOON = "2026-11-27T12:00:00"


def tell_no_times(page: Page) -> None:
    """Let the gateway be an older one, whose messages come without times."""

    def connect(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        server.on_message(lambda frame: route.send(re.sub(r'"time":"[^"]*",', "", str(frame))))

    page.route_web_socket(re.compile("/stream"), connect)


def test_a_day_later_rows_and_the_detail_have_their_date(
    page: Page, gateway: Gateway, publish: Publish, subject: str
) -> None:
    tell_no_times(page)
    page.clock.set_fixed_time(EVENING)
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    publish(subject, b'"of yesterday"')
    time = viewer.row("of yesterday").locator(".row-time")
    expect(time).to_have_text("22:58:00.000")
    page.clock.set_fixed_time(NEXT_NOON)
    publish(subject, b'"of today"')
    expect(viewer.row("of today").locator(".row-time")).to_have_text("12:00:00.000")
    expect(time).to_have_text("26 Nov, 22:58:00.000")
    box = time.evaluate("cell => [cell.scrollWidth, cell.clientWidth]")
    assert box[0] <= box[1], "cut"
    time.hover()
    expect(time).to_have_attribute("title", re.compile(r"^2026-11-2[67]T\d\d:58:00.000Z$"))
    expect(page.get_by_test_id("row").filter(visible=True)).to_have_text(
        [re.compile("of yesterday"), "Friday, 27 November 2026", re.compile("of today")]
    )
    viewer.row("of yesterday").click()
    facts = viewer.detail.locator(".detail-facts")
    expect(facts).to_contain_text("26 Nov 2026, 22:58:00.000 · 13 h ago")


@pytest.mark.parametrize("ahead", [datetime.timedelta(days=-9), datetime.timedelta(days=9)])
def test_times_are_those_of_the_gateway_and_ages_do_not_count_how_clocks_differ(
    page: Page, gateway: Gateway, publish: Publish, subject: str, ahead: datetime.timedelta
) -> None:
    began = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    page.clock.set_fixed_time(began + ahead)
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    publish(subject, b'"first"')
    viewer.row("first").click()
    facts = viewer.detail.locator(".detail-facts")
    expect(facts).to_contain_text(" · now · ")
    page.clock.set_fixed_time(began + ahead + datetime.timedelta(seconds=42))
    expect(facts).to_contain_text(" · 42 s ago · ")
    shown = datetime.datetime.fromisoformat(facts.get_attribute("title") or "")
    assert began <= shown <= datetime.datetime.now(datetime.UTC)
    viewer.button("Latest").click()
    viewer.button("Resume").click()
    expect(page.get_by_test_id("latest-row").first.locator(".latest-age")).to_have_text("42 s")
