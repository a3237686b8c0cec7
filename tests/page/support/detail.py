"""The detail of a message as its reader uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, expect

from tests.page.support.viewer import Viewer

Publish = Callable[[str, bytes], None]

ORDER = b'{"id":9007199254740993,"price":1.50,"items":[{"sku":"A-1","odd key":true}]}'


def payload(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("payload")


def plot(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("plot")


def tab(viewer: Viewer, name: str) -> Locator:
    return viewer.page.get_by_role("tab", name=name)


def value(viewer: Viewer, text: str) -> Locator:
    return payload(viewer).get_by_role("button", name=text, exact=True)


def item(viewer: Viewer, name: str) -> Locator:
    return viewer.page.get_by_role("menuitem", name=name)


def show(viewer: Viewer, publish: Publish, subject: str, *payloads: bytes) -> None:
    """Publish these and open the last of them."""
    viewer.follow(subject)
    for each in payloads:
        publish(subject, each)
    viewer.expect_figure("received", str(len(payloads)))
    expect(viewer.row(subject)).to_have_count(len(payloads))  # they are painted after the figures
    viewer.row(subject).last.click()
    expect(viewer.detail).to_be_visible()


def watch_clipboard(viewer: Viewer) -> Callable[[], Any]:
    """Return a function that returns what was copied last."""
    viewer.page.evaluate(
        "navigator.clipboard.writeText = async text => { globalThis.copied = text; }"
    )
    return lambda: viewer.page.evaluate("globalThis.copied")


def close_one_by_one(viewer: Viewer, *opened: Locator) -> None:
    """Press Escape as often as there are things, and see that it closes the innermost alone."""
    while opened:
        expect(opened[0]).to_be_visible()
        viewer.page.keyboard.press("Escape")
        expect(opened[0]).to_be_hidden()
        opened = opened[1:]


def points(viewer: Viewer) -> int:
    line = plot(viewer).locator("polyline")
    return len(str(line.get_attribute("points")).split()) if line.count() else 0
