"""What can be done with a value, and the detail without a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.support.detail import (
    ORDER,
    Publish,
    close_one_by_one,
    item,
    payload,
    plot,
    show,
    value,
    watch_clipboard,
)
from tests.page.support.viewer import Viewer
from tests.support.servers import until


@pytest.mark.parametrize(
    ("text", "name", "copied"),
    [
        ('"A-1"', "Copy value", "A-1"),
        ('"A-1"', "Copy path", "items[0].sku"),
        ("true", "Copy path", 'items[0]["odd key"]'),
        ("true", "Copy value", "true"),
    ],
)
def test_the_menu_of_a_value_copies(
    viewer: Viewer, publish: Publish, subject: str, text: str, name: str, copied: str
) -> None:
    show(viewer, publish, subject, ORDER)
    clipboard = watch_clipboard(viewer)
    value(viewer, text).click()
    expect(item(viewer, "Copy value")).to_be_focused()
    item(viewer, name).click()
    until(lambda: clipboard() == copied)
    expect(value(viewer, text)).to_be_focused()


def test_a_number_has_a_menu_too(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, ORDER)
    clipboard = watch_clipboard(viewer)
    payload(viewer).get_by_text('"id"').click()
    item(viewer, "Copy value").click()
    until(lambda: clipboard() == "9007199254740993")
    value(viewer, "1.50").click(button="right")
    item(viewer, "Plot over time").click()
    expect(plot(viewer)).to_contain_text("1.50")
    plot(viewer).get_by_role("button", name="What to do with this value").click()
    item(viewer, "Copy path").click()
    until(lambda: clipboard() == "price")


def test_the_menu_of_the_subject(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, ORDER)
    clipboard = watch_clipboard(viewer)
    viewer.detail.get_by_role("button", name=subject).click()
    for name in ("Filter to this subject", "Exclude this subject", "Subscribe only this"):
        expect(item(viewer, name)).to_be_visible()
    item(viewer, "Copy subject").click()
    until(lambda: clipboard() == subject)


def test_the_detail_needs_no_mouse(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"a":"x","b":{"price":2},"c":[true]}')
    clipboard = watch_clipboard(viewer)
    press = viewer.page.keyboard.press
    payload(viewer).focus()
    press("ArrowDown")
    expect(value(viewer, '"x"')).to_be_focused()
    press("ArrowDown")
    expect(value(viewer, "2")).to_be_focused()
    press("Enter")
    expect(plot(viewer)).to_be_visible()
    press("ArrowDown")
    expect(value(viewer, "true")).to_be_focused()
    press("Enter")
    press("ArrowDown")
    expect(item(viewer, "Copy path")).to_be_focused()
    press("Enter")
    until(lambda: clipboard() == "c[0]")
    press("Enter")
    expect(item(viewer, "Copy value")).to_be_focused()
    close_one_by_one(viewer, item(viewer, "Copy value"), plot(viewer), viewer.detail)
    expect(viewer.page.get_by_role("grid", name="Messages")).to_be_focused()


def test_escape_on_a_phone_closes_one_thing_at_a_time(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    show(viewer, publish, subject, b'{"a":"x","price":2}')
    value(viewer, "2").click()
    expect(plot(viewer)).to_be_visible()
    small = viewer.detail.locator("button:visible").evaluate_all(
        """buttons => buttons.map(button => button.getBoundingClientRect())
            .filter(({ width, height }) => width < 44 || height < 44).length"""
    )
    assert small == 0
    assert viewer.page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    value(viewer, '"x"').click()
    close_one_by_one(viewer, item(viewer, "Copy value"), plot(viewer), viewer.detail)
    until(lambda: viewer.page.evaluate("history.state === null"))
