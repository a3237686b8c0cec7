"""A filter that understands keys, and what it shows of what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import item, tab
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, until

Publish = Callable[[str, bytes], None]
Scheme = Literal["light", "dark"]
MARKED = """name => [...CSS.highlights.get(name) ?? []].map(each => {
  const range = new Range();
  range.setStart(each.startContainer, each.startOffset);
  range.setEnd(each.endContainer, each.endOffset);
  return range.toString();
})"""
LONG = b'{"filler":"%b","level":"error","n":%d}'


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Filter")


def publish_levels(viewer: Viewer, publish: Publish, subject: str) -> None:
    """Publish twelve messages, of which every third is an error that stands at the end of much."""
    viewer.follow(subject)
    for number in range(12):
        ordinary = b'{"level":"info","n":%d}' % number
        publish(subject, ordinary if number % 3 else LONG % (b"x" * 400, number))
    viewer.expect_figure("received", "12")


def expect_marked(page: Page, name: str, texts: list[str]) -> None:
    """Wait until all that is marked are these texts, however often."""
    until(lambda: set(page.evaluate(MARKED, name)) == set(texts))


def test_keys_comparisons_and_either_side_filter_the_list(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    publish_levels(viewer, publish, subject)
    for text, shown in [
        ("level:error", "4 of 12"),
        ("n>=9", "3 of 12"),
        ("level:error OR n:10..11", "6 of 12"),
        ("-(level:error OR n<3) size<1k after:1h", "6 of 12"),
    ]:
        field(viewer.page).fill(text)
        viewer.expect_figure("shown", shown)
    field(viewer.page).fill("size>many")
    expect(viewer.page.locator("#filter-error")).to_contain_text("is no size")


def test_a_row_begins_near_what_was_found_and_it_is_marked_in_row_and_detail(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    publish_levels(viewer, publish, subject)
    expect(viewer.row('"level":"error"')).to_have_count(0)
    field(viewer.page).fill("n:9 level:error")
    row = viewer.row('"level":"error","n":9')
    expect(row.locator(".row-text")).to_have_text('…xxxxxxxxxx","level":"error","n":9}')
    expect_marked(viewer.page, "match", ['"level":"error"', '"n":9'])
    viewer.button("Latest").click()
    expect(viewer.page.locator(".latest-value:visible")).to_contain_text(
        '…xxxxxxxxxx","level":"error"'
    )
    viewer.page.get_by_role("button", name="Log", exact=True).click()
    row.click()
    expect_marked(viewer.page, "match", ['"level": "error"', '"n": 9', '"level":"error"', '"n":9'])
    viewer.page.keyboard.press("n")
    expect_marked(viewer.page, "match-here", ['"level": "error"'])
    expect(viewer.page.locator("#announcer")).to_have_text("Match 1 of 2")
    viewer.page.keyboard.press("N")
    expect_marked(viewer.page, "match-here", ['"n": 9'])
    field(viewer.page).fill("")
    expect_marked(viewer.page, "match", [])
    expect_marked(viewer.page, "match-here", [])
    expect(viewer.row("xxx").first.locator(".row-text")).to_contain_text('{"filler":"xxx')


def test_the_next_match_comes_into_sight_in_a_long_payload(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b"[" + b",".join(b'"line %d"' % n for n in range(2000)) + b',"needle"]')
    field(viewer.page).fill("needle")
    viewer.row(subject).click()
    viewer.page.keyboard.press("n")
    expect(viewer.page.get_by_role("button", name='"needle"')).to_be_in_viewport()
    expect_marked(viewer.page, "match-here", ["needle"])
    tab(viewer, "Raw").click()
    viewer.page.keyboard.press("n")
    expect_marked(viewer.page, "match-here", ["needle"])


@pytest.mark.parametrize("by_key", [True, False])
def test_a_message_is_shown_among_all_and_the_filter_comes_back(
    viewer: Viewer, publish: Publish, subject: str, by_key: bool
) -> None:
    publish_levels(viewer, publish, subject)
    field(viewer.page).fill("level:error")
    viewer.expect_figure("shown", "4 of 12")
    viewer.row('"n":6').click()
    expect(viewer.detail).to_be_visible()
    if by_key:
        viewer.page.keyboard.press("f")
    else:
        viewer.page.locator(".detail-subject").click()
        item(viewer, "Show among all").click()
    viewer.expect_figure("shown", "")
    viewer.expect_state("paused")
    expect(viewer.row('"n":5')).to_be_in_viewport()
    selected = viewer.page.locator(".row[aria-selected=true]:visible")
    expect(selected).to_contain_text("xxx")
    viewer.page.locator(".detail-subject").click()
    expect(item(viewer, "Subscribe only this")).to_be_visible()
    expect(item(viewer, "Show among all")).to_have_count(0)
    viewer.page.keyboard.press("Escape")
    viewer.button("Back to “level:error”").click()
    expect(field(viewer.page)).to_have_value("level:error")
    viewer.expect_figure("shown", "4 of 12")
    expect(selected).to_contain_text('"n":6')


def test_without_a_filter_or_a_message_the_key_does_nothing(viewer: Viewer, subject: str) -> None:
    viewer.follow(subject)
    viewer.page.keyboard.press("Escape")
    for key in ("f", "n", "N"):
        viewer.page.keyboard.press(key)
    viewer.expect_state("waiting")


def test_examples_are_beside_the_field_and_go_into_it(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    publish_levels(viewer, publish, subject)
    field(viewer.page).fill("n:3")
    viewer.page.get_by_role("button", name="What a filter understands").click()
    examples = viewer.page.locator("#filter-examples button")
    expect(examples).to_have_count(8)
    viewer.page.keyboard.press("Tab")
    expect(examples.first).to_be_focused()
    viewer.page.keyboard.press("Tab")
    viewer.page.keyboard.press("Enter")
    expect(field(viewer.page)).to_have_value("n:3 level:error")
    expect(field(viewer.page)).to_be_focused()
    viewer.expect_figure("shown", "1 of 12")
    for example in examples.all_text_contents():
        field(viewer.page).fill(example)
        expect(viewer.page.locator("#filter-error")).to_be_hidden()
    viewer.page.get_by_role("button", name="What a filter understands").click()
    viewer.page.keyboard.press("Escape")
    expect(examples.first).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_in_the_help_of_the_filter(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, scheme: Scheme, width: int
) -> None:
    size: Any = {"width": width, "height": 740}
    context = chromium.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    viewer = Viewer(context.new_page(), gateway.url).open()
    publish_levels(viewer, publish, subject)
    viewer.page.get_by_role("button", name="What a filter understands").click()
    expect(viewer.page.locator("#filter-examples")).to_be_visible()
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width
    box = viewer.page.locator("#filter-examples").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert violations(viewer.page) == []
    viewer.page.keyboard.press("Escape")
    field(viewer.page).fill("level:error")
    viewer.expect_figure("shown", "4 of 12")
    assert violations(viewer.page) == []
    viewer.button("Help").click()
    assert violations(viewer.page) == []
    context.close()
