"""The way by keyboard is the one that is seen; and what the tab of the browser is called."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.page.support.viewer import Viewer

Publish = Callable[[str, bytes], None]


def test_tab_goes_as_one_reads_and_stops_once_at_all_chips(viewer: Viewer, subject: str) -> None:
    viewer.follow(*(f"{subject}.{name}" for name in "abcd"))
    viewer.field.focus()
    seen = []
    for _ in range(14):
        viewer.page.keyboard.press("Tab")
        seen.append(
            viewer.page.evaluate(
                "document.activeElement.id || document.activeElement.ariaLabel"
                " || document.activeElement.textContent.trim()"
            )
        )
    assert seen[:13] == [
        "views-button",
        "Subscribe",
        f"Unsubscribe {subject}.a",
        "remove-all",
        "filter",
        "filter-help",
        "Log",
        "Latest",
        "Tree",
        "pause",
        "export",
        "tell-button",
        "messages",
    ]


def test_arrow_keys_go_from_chip_to_chip(viewer: Viewer, subject: str) -> None:
    viewer.follow(*(f"{subject}.{name}" for name in "abc"))
    close = {name: viewer.button(f"Unsubscribe {subject}.{name}") for name in "abc"}
    close["a"].focus()
    for key, name in (
        ("ArrowRight", "b"),
        ("ArrowRight", "c"),
        ("ArrowRight", "a"),
        ("ArrowLeft", "c"),
        ("Home", "a"),
        ("End", "c"),
    ):
        viewer.page.keyboard.press(key)
        expect(close[name]).to_be_focused()
        expect(close[name]).to_have_attribute("tabindex", "0")
        expect(viewer.page.locator(".chip-close[tabindex='0']")).to_have_count(1)
    viewer.page.keyboard.press("Delete")
    expect(close["c"]).to_have_count(0)
    expect(close["b"]).to_be_focused()
    viewer.button("Subscribe").first.focus()
    viewer.enter(f"unsubscribe {subject}.b")
    expect(close["b"]).to_have_count(0)
    expect(close["a"]).to_have_attribute("tabindex", "0")


def test_the_tab_says_what_flows_how_fast_and_what_is_wrong(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    expect(viewer.page).to_have_title("NATS live")
    viewer.follow(subject, "another.>")
    expect(viewer.page).to_have_title(f"{subject} +1 · NATS live")
    publish(subject, b"1")
    expect(viewer.page).to_have_title(re.compile(rf"^\d+/s · {subject} \+1 · NATS live$"))
    viewer.button("Pause").click()
    expect(viewer.page).to_have_title(f"Paused · {subject} +1 · NATS live")


def test_a_filter_that_is_too_long_is_kept_whole_and_explained(
    viewer: Viewer, subject: str
) -> None:
    viewer.follow(subject)
    field = viewer.page.get_by_test_id("filter")
    field.fill("x" * 1_200)
    expect(field).to_have_value("x" * 1_200)
    told = "A filter has at most 1000 characters; this one has 1200."
    expect(viewer.page.locator("#filter-error")).to_have_text(told)
