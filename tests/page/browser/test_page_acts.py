"""What can be done with a part of an open message: filter to it, exclude it, follow only it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]


@pytest.fixture
def opened(viewer: Viewer, publish: Publish, subject: str) -> Viewer:
    """A page with messages on two subjects, the last of the first one open."""
    viewer.follow(f"{subject}.*")
    for name, customer in (("a", "Ada"), ("b", "Grace"), ("a", "Linus")):
        publish(f"{subject}.{name}", f'{{"customer":"{customer}","total":1.50}}'.encode())
    viewer.expect_figure("received", "3")
    viewer.row("Linus").click()
    expect(viewer.detail).to_be_visible()
    return viewer


def choose(viewer: Viewer, name: str) -> None:
    viewer.page.get_by_role("menuitem", name=name).click()


def filter_of(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("filter")


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [("Filter to this subject", "subject:{}.a", 2), ("Exclude this subject", "-subject:{}.a", 1)],
)
def test_a_subject_becomes_a_filter(
    opened: Viewer, subject: str, name: str, text: str, left: int
) -> None:
    opened.detail.get_by_title("What to do with this subject").click()
    choose(opened, name)
    expect(filter_of(opened)).to_have_value(text.format(subject))
    expect(opened.row("customer")).to_have_count(left)


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Filter to this value", '""customer":"Linus""', 1),
        ("Exclude this value", '-""customer":"Linus""', 2),
    ],
)
def test_a_value_becomes_a_filter(opened: Viewer, name: str, text: str, left: int) -> None:
    opened.detail.get_by_role("button", name='"Linus"', exact=True).click()
    choose(opened, name)
    expect(filter_of(opened)).to_have_value(text)
    expect(opened.row("customer")).to_have_count(left)


def test_only_this_subject_is_followed_and_undo_brings_the_others_back(
    opened: Viewer, publish: Publish, subject: str
) -> None:
    opened.detail.get_by_title("What to do with this subject").click()
    choose(opened, "Subscribe only this")
    expect(opened.page.get_by_test_id("chip")).to_have_count(1)
    expect(opened.chip(f"{subject}.a")).to_have_attribute("data-state", "active")
    opened.button("Undo").click()
    expect(opened.page.get_by_test_id("chip")).to_have_count(1)
    expect(opened.chip(f"{subject}.*")).to_have_attribute("data-state", "active")


def test_going_along_the_messages_of_a_subject_takes_the_list_along(opened: Viewer) -> None:
    opened.detail.get_by_role("button", name="Older").click()
    expect(opened.detail).to_contain_text('"Ada"')
    expect(opened.page.locator(".row[aria-selected=true]")).to_contain_text('"Ada"')


@pytest.mark.parametrize("back", ["Close", "the browser's Back"])
def test_what_was_done_in_the_detail_of_a_phone_stays_when_it_closes(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, back: str
) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 640}, has_touch=True)
    viewer = Viewer(context.new_page(), gateway.url).open(f"#s={subject}.*,{subject}.other.>")
    publish(f"{subject}.a", b'{"customer":"Linus"}')
    publish(f"{subject}.b", b'{"customer":"Ada"}')
    viewer.row("Linus").click()
    viewer.detail.get_by_role("button", name='"Linus"', exact=True).click()
    choose(viewer, "Filter to this value")
    viewer.detail.get_by_title("What to do with this subject").click()
    choose(viewer, "Subscribe only this")
    if back == "Close":
        viewer.detail.get_by_role("button", name="Close", exact=True).click()
    else:
        viewer.page.go_back()
    expect(viewer.detail).to_be_hidden()
    expect(filter_of(viewer)).to_have_value('""customer":"Linus""')
    expect(viewer.page.get_by_test_id("chip")).to_have_count(1)
    expect(viewer.chip(f"{subject}.a")).to_have_count(1)
    viewer.page.reload()
    expect(filter_of(viewer)).to_have_value('""customer":"Linus""')
    expect(viewer.page.get_by_test_id("chip")).to_have_count(1)
    context.close()
