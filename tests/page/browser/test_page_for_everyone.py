"""The page for everyone: axe, contrast, themes, forced colours, the keyboard alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.page.support.flood import Flood
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer

Publish = Callable[[str, bytes], None]
Scheme = Literal["light", "dark"]


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is now."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.fixture(params=["light", "dark"])
def themed(request: Any, chromium: Browser, gateway: Gateway) -> Any:
    context = chromium.new_context(color_scheme=request.param, reduced_motion="reduce")
    yield Viewer(context.new_page(), gateway.url).open()
    context.close()


def test_axe_finds_nothing_in_any_state(themed: Viewer, publish: Publish, subject: str) -> None:
    assert violations(themed.page) == []
    themed.enter("orders*")
    expect(themed.error).to_be_visible()
    assert violations(themed.page) == []
    themed.follow(subject, f"{subject}.*")
    assert violations(themed.page) == []
    themed.enter("$SYS.>")
    expect(themed.chip("$SYS.>")).to_have_attribute("data-state", "refused")
    for number in range(50):
        publish(subject, b'{"id":%d,"open":true,"name":"x"}' % number)
    expect(themed.row('"id":49')).to_be_in_viewport()
    assert violations(themed.page) == []
    themed.row('"id":49').click()
    expect(themed.detail).to_be_visible()
    themed.expect_state("paused")
    assert violations(themed.page) == []
    themed.detail.get_by_role("button", name="49", exact=True).click()
    expect(themed.page.get_by_test_id("plot")).to_be_visible()
    assert violations(themed.page) == []
    for name in ("Diff", "Hex"):
        themed.page.get_by_role("tab", name=name).click()
        assert violations(themed.page) == []
    themed.page.get_by_test_id("filter").fill("4 -debug")
    themed.button("Latest").click()
    assert violations(themed.page) == []
    themed.button("Export").click()
    assert violations(themed.page) == []
    themed.page.keyboard.press("Escape")
    themed.field.press_sequentially("test")
    expect(themed.page.get_by_role("option").first).to_be_visible()
    assert violations(themed.page) == []
    themed.page.keyboard.press("Escape")
    themed.page.get_by_role("button", name="Clear", exact=True).click()
    assert violations(themed.page) == []
    themed.button("Settings").click()
    assert violations(themed.page) == []
    themed.page.keyboard.press("Escape")
    themed.button("Help").click()
    assert violations(themed.page) == []


def test_everything_is_done_by_keyboard(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    viewer = Viewer(page, gateway.url).open()
    press, write = page.keyboard.press, page.keyboard.type
    write(subject)
    press("Enter")
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    for number in range(40):
        publish(subject, b'{"number":%d}' % number)
    expect(viewer.row('"number":39')).to_be_in_viewport()
    press("Escape")
    press(" ")
    viewer.expect_state("paused")
    press(" ")
    viewer.expect_state("live")
    press("k")
    press("k")
    press("Enter")
    expect(viewer.detail).to_contain_text("38")
    viewer.expect_state("paused")
    press("c")
    expect(viewer.detail).to_contain_text("Copied")
    press("Escape")
    expect(viewer.detail).to_be_hidden()
    press("g")
    viewer.expect_state("live")
    press("?")
    expect(page.get_by_role("dialog", name="Help")).to_be_visible()
    press("Escape")
    press("x")
    expect(viewer.row("number")).to_have_count(0)
    press("s")
    expect(viewer.field).to_be_focused()
    write(f"unsubscribe {subject}")
    press("Enter")
    expect(viewer.chip(subject)).to_have_count(0)
    context.close()


def test_letters_can_be_switched_off(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    publish(subject, b"1")
    viewer.expect_state("live")
    viewer.prefer("Shortcuts of one key", "off")
    viewer.page.keyboard.press("p")
    viewer.page.keyboard.press("x")
    viewer.expect_state("live")
    expect(viewer.row(subject)).to_have_count(1)


def test_a_flood_does_not_talk_over_the_reader(
    viewer: Viewer, nats_server: NatsServer, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    viewer.page.evaluate(
        """() => {
          window.spoken = [];
          const node = document.getElementById("announcer");
          new MutationObserver(() => spoken.push(performance.now()))
            .observe(node, { childList: true, characterData: true, subtree: true });
        }"""
    )
    with Flood(nats_server.port, subject, rate=1_000, total=8_000) as flood:
        for _ in range(6):
            viewer.button("Pause").click()
            viewer.button("Resume").click()
        flood.wait(60)
    viewer.expect_figure("received", "8,000")
    spoken = viewer.page.evaluate("spoken")
    assert spoken, "pausing is said"
    assert all(later - earlier > 1_900 for earlier, later in itertools.pairwise(spoken))
    assert viewer.page.locator("#messages").get_attribute("aria-live") is None


def test_forced_colours_keep_what_is_told(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    context = chromium.new_context(forced_colors="active")
    viewer = Viewer(context.new_page(), gateway.url).open()
    viewer.follow(subject)
    publish(subject, b"1")
    viewer.row(subject).click()
    selected = viewer.page.locator(".row[aria-selected=true]")
    assert selected.evaluate("(row) => getComputedStyle(row).outlineStyle") == "solid"
    expect(viewer.page.locator(".state .glyph-bars")).to_be_visible()
    assert violations(viewer.page) == []
    context.close()


def test_settings_fit_on_a_phone(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.button("Settings").click()
    for name in ("Theme", "Messages kept", "Shortcuts of one key"):
        box = viewer.page.get_by_label(name, exact=True).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 360
