"""The list under a thumb."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]
Touch = Callable[..., None]


@pytest.fixture
def thumb(chromium: Browser, gateway: Gateway) -> Iterator[tuple[Viewer, Touch]]:
    """A phone with the page on it, and what touches its screen from one height to others."""
    size: Any = {"width": 390, "height": 844}
    context = chromium.new_context(viewport=size, has_touch=True, is_mobile=True)
    page = context.new_page()
    session = context.new_cdp_session(page)

    def touch(*heights: float, lift: bool = True) -> None:
        kinds = ["touchStart", *["touchMove"] * (len(heights) - 1)]
        for kind, y in zip(kinds, heights, strict=True):
            points = [{"x": 150, "y": y}]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        if lift:
            # After a rest: a thumb that is lifted as it moves leaves a list that runs on, and a tap
            # would stop that and do no more.
            end = {"type": "touchEnd", "touchPoints": [], "timestamp": time.time() + 1}
            session.send("Input.dispatchTouchEvent", end)

    yield Viewer(page, gateway.url).open(), touch
    context.close()


def test_only_a_tap_or_a_move_away_from_the_newest_pauses(
    thumb: tuple[Viewer, Touch], publish: Publish, subject: str
) -> None:
    viewer, touch = thumb
    viewer.follow(subject)
    for number in range(60):
        publish(subject, str(number).encode())
    viewer.expect_figure("received", "60")
    touch(500, lift=False)
    publish(subject, b'"while a thumb rests"')
    expect(viewer.row("while a thumb rests")).to_be_in_viewport()
    touch(500, 480, 460, 440)  # towards the newest, where it is already
    publish(subject, b'"after a swipe up"')
    expect(viewer.row("after a swipe up")).to_be_in_viewport()
    viewer.expect_state("live")
    touch(400, 420, 440, 460, 480)
    viewer.expect_state("paused")
    viewer.button("Resume").click()
    viewer.expect_state("live")
    expect(viewer.row("after a swipe up")).to_be_in_viewport()  # else it scrolls under the tap
    viewer.page.touchscreen.tap(150, 500)
    expect(viewer.detail).to_be_visible()
    viewer.expect_state("paused")
