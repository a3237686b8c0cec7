"""The picture of the flow in the header."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.page.support.viewer import Viewer

Publish = Callable[[str, bytes], None]

BURST = 20_000  # ms for a rate to fall to nothing on a busy machine

WATCH_WIDTH = """chip => {
  window.widest = 0;
  new ResizeObserver(() => (widest = Math.max(widest, chip.offsetWidth))).observe(chip);
}"""


def points(line: Locator) -> list[tuple[float, float]]:
    """The points of the line: seconds and heights, which grow downwards."""
    drawn = line.locator("polyline").get_attribute("points") or ""
    pairs = [point.split(",") for point in drawn.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_a_burst_is_a_peak_in_sixty_points(viewer: Viewer, publish: Publish, subject: str) -> None:
    line = viewer.page.get_by_role("img", name="60 seconds: now 0/s, peak 0/s", exact=True)
    expect(line).to_be_visible()
    assert [x for x, _ in points(line)] == list(range(60))
    assert len({y for _, y in points(line)}) == 1
    viewer.follow(subject)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for _ in range(20):
            publish(subject, b"12345")
        time.sleep(0.02)
    line = viewer.page.get_by_role("img", name=re.compile(r"peak [\d,]{3,}.s$"))
    expect(line).to_be_visible()
    assert len(points(line)) == 60
    heights = [y for _, y in points(line)]
    assert min(heights) == 1  # the peak is as high as the picture
    assert heights.count(19) >= 50  # and before it there was nothing
    expect(viewer.page.get_by_role("img", name="60 seconds: now 0/s")).to_be_visible()


def test_header_says_messages_and_bytes_of_the_last_second(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    for _ in range(50):
        publish(subject, b"x" * 1_000)
    rate = viewer.page.locator(".rate")
    expect(rate).to_have_text(re.compile(r"^[1-9]\d* msg/s · \d+\.\d kB/s$"), use_inner_text=True)
    expect(rate).to_have_text("0 msg/s · 0 B/s", use_inner_text=True)
    assert rate.evaluate("rate => rate.closest('[aria-live], [role=status]')") is None


def test_chips_say_count_and_rate(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    expect(viewer.chip(subject)).not_to_contain_text("/s")
    viewer.chip(subject).evaluate(WATCH_WIDTH)
    for _ in range(1_204):
        publish(subject, b"1")
    expect(viewer.chip(subject)).to_contain_text(re.compile(r"1,204 · [1-9][\d,.]*/s"))
    slow = re.compile(r"1,204 · \d+/min")
    expect(viewer.chip(subject)).to_contain_text(slow, timeout=BURST)
    width = viewer.chip(subject).evaluate("chip => chip.offsetWidth")
    assert width == pytest.approx(viewer.page.evaluate("widest"), abs=1)
