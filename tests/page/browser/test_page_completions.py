"""Subjects that were seen are offered while one types."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.page.support.viewer import Viewer

Publish = Callable[[str, bytes], None]


@pytest.fixture
def seen(viewer: Viewer, publish: Publish, subject: str) -> Viewer:
    """A page that has seen `.created` once, `.paid` twice and `.deep.down` three times."""
    viewer.follow(f"{subject}.>")
    for name, times in (("created", 1), ("paid", 2), ("deep.down", 3)):
        for _ in range(times):
            publish(f"{subject}.{name}", b"1")
    viewer.expect_figure("received", "6")
    return viewer


def options(viewer: Viewer) -> Locator:
    return viewer.page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def expect_options(viewer: Viewer, *texts: str) -> None:
    expect(options(viewer).locator(".completion-text")).to_have_text(list(texts))
    expect(viewer.field).to_have_attribute("aria-expanded", "true")


def expect_closed(viewer: Viewer) -> None:
    expect(options(viewer)).to_have_count(0)
    expect(viewer.page.locator("#completions")).to_be_hidden()
    expect(viewer.field).to_have_attribute("aria-expanded", "false")
    expect(viewer.field).not_to_have_attribute("aria-activedescendant", "completion-0")


def test_what_was_seen_is_offered_with_its_count(seen: Viewer, subject: str) -> None:
    seen.field.press_sequentially(subject)
    names = ("deep.down", "*", "deep.*", "paid", "created")
    expect_options(seen, *(f"{subject}.{name}" for name in names))
    expect(options(seen).first).to_contain_text("3")
    seen.field.press_sequentially(".pa")
    expect_options(seen, f"{subject}.paid")


@pytest.mark.parametrize("key", ["Enter", "Tab"])
def test_keyboard_completes_and_enter_subscribes(seen: Viewer, subject: str, key: str) -> None:
    seen.field.press_sequentially(f"{subject}.")
    before = len(seen.sent)
    seen.field.press("ArrowDown")
    seen.field.press("ArrowDown")
    expect(options(seen).nth(1)).to_have_attribute("aria-selected", "true")
    expect(seen.field).to_have_attribute("aria-activedescendant", "completion-1")
    seen.field.press("ArrowUp")
    seen.field.press("ArrowUp")
    expect(seen.page.locator("[role=option][aria-selected=true]")).to_have_count(0)
    seen.field.press("ArrowUp")
    expect(options(seen).last).to_have_attribute("aria-selected", "true")
    seen.field.press(key)
    expect(seen.field).to_have_value(f"{subject}.created")
    expect(seen.field).to_be_focused()
    expect_closed(seen)
    assert len(seen.sent) == before
    seen.field.press("Enter")
    expect(seen.chip(f"{subject}.created")).to_have_attribute("data-state", "active")


def test_enter_without_a_choice_takes_what_was_typed(seen: Viewer, subject: str) -> None:
    seen.field.press_sequentially(f"{subject}.pai")
    expect_options(seen, f"{subject}.paid")
    seen.field.press("Enter")
    expect(seen.chip(f"{subject}.pai")).to_have_attribute("data-state", "active")
    expect_closed(seen)


def test_mouse_completes_the_last_of_several_words(seen: Viewer, subject: str) -> None:
    seen.field.press_sequentially(f"other, {subject}.pa")
    options(seen).first.click()
    expect(seen.field).to_have_value(f"other, {subject}.paid")
    expect(seen.field).to_be_focused()
    expect_closed(seen)
    seen.field.press_sequentially(f" {subject}.cre")
    expect_options(seen, f"{subject}.created")


def test_escape_closes_and_arrows_recall_again(seen: Viewer, subject: str) -> None:
    seen.field.press_sequentially(f"{subject}.pa")
    expect_options(seen, f"{subject}.paid")
    seen.field.press("Escape")
    expect_closed(seen)
    expect(seen.field).to_have_value(f"{subject}.pa")
    seen.field.press("ArrowUp")
    expect(seen.field).to_have_value(f"{subject}.>")
    expect_closed(seen)


def test_an_empty_field_offers_nothing_until_asked(seen: Viewer, subject: str) -> None:
    seen.field.click()
    expect_closed(seen)
    seen.enter(f"unsubscribe {subject}.>")
    seen.field.press("ArrowDown")
    expect(options(seen).first).to_contain_text(f"{subject}.>")
    expect(options(seen)).to_have_count(8)  # with test.subject
    seen.field.evaluate("field => field.blur()")
    expect_closed(seen)


def test_unsubscribe_offers_what_is_followed(seen: Viewer, subject: str) -> None:
    seen.field.press_sequentially("unsubscribe ")
    expect_options(seen, f"{subject}.>")
    seen.field.press("ArrowDown")
    seen.field.press("Enter")
    seen.field.press("Enter")
    expect(seen.chip(f"{subject}.>")).to_have_count(0)
    assert json.loads(seen.sent[-1])["subjects"] == [f"{subject}.>"]


def test_a_hostile_subject_is_text(seen: Viewer, publish: Publish, subject: str) -> None:
    hostile = f"{subject}.<img/src=x/onerror=alert(1)//"  # without space or > it can be typed
    publish(hostile, b"1")
    publish(f"{subject}.<b>bold", b"1")
    seen.expect_figure("received", "8")
    seen.field.press_sequentially(f"{subject}.<")
    expect_options(seen, hostile)
    expect(seen.page.locator("img[src=x], #completions b")).to_have_count(0)
    options(seen).first.click()
    expect(seen.field).to_have_value(hostile)


def test_on_a_phone_the_list_leaves_the_field_free(seen: Viewer, subject: str) -> None:
    seen.page.set_viewport_size({"width": 360, "height": 640})
    seen.field.press_sequentially(f"{subject}.")
    field = seen.field.bounding_box()
    box = seen.page.locator("#completions").bounding_box()
    assert field and box
    assert box["y"] >= field["y"] + field["height"]
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    heights = options(seen).evaluate_all("all => all.map(option => option.offsetHeight)")
    assert heights
    assert min(heights) >= 44
