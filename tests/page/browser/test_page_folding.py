"""Long JSON in the detail: folding, searching, a wider pane."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import Publish, close_one_by_one, payload, show, tab, value
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

LONG = json.dumps(
    {
        "order": {"id": 7, "customer": {"name": "Ada", "city": "London"}},
        "lines": [{"sku": f"SKU-{number}", "price": number} for number in range(150)],
        "note": "end",
    }
).encode()


def sign(viewer: Viewer, key: str) -> Locator:
    return payload(viewer).locator(f".fold-sign:has(+ .json-key:text('\"{key}\"'))")


def test_a_part_is_folded_by_mouse_and_stays_folded_in_the_next_message(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, LONG, LONG.replace(b"Ada", b"Grace"))
    sign(viewer, "order").click()
    expect(payload(viewer)).to_contain_text('"order": {… 2 keys},')
    expect(payload(viewer)).not_to_contain_text("Grace")
    expect(sign(viewer, "order")).to_be_focused()
    viewer.button("Older").click()
    expect(payload(viewer)).to_contain_text('"order": {… 2 keys},')
    payload(viewer).get_by_role("button", name="… 2 keys").click()
    expect(payload(viewer)).to_contain_text('"name": "Ada"')


def test_alt_folds_all_that_is_as_deep(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, LONG)
    sign(viewer, "lines").click(modifiers=["Alt"])
    expect(payload(viewer)).to_have_text(
        '{ "order": {… 2 keys}, "lines": [… 150 items], "note": "end" }'
    )
    assert viewer.page.evaluate("document.querySelectorAll('.fold-sign').length") == 3


def test_a_long_list_ends_after_a_hundred(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, LONG)
    expect(payload(viewer)).to_contain_text("SKU-99")
    expect(payload(viewer)).not_to_contain_text("SKU-100")
    payload(viewer).get_by_role("button", name="… 50 more").click()
    expect(payload(viewer)).to_contain_text("SKU-149")


def test_it_is_folded_by_keyboard(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, LONG)
    press = viewer.page.keyboard.press
    value(viewer, '"Ada"').focus()
    expect(viewer.detail.locator(".detail-path")).to_have_text("order.customer.name")
    press("ArrowLeft")
    expect(payload(viewer)).to_contain_text('"customer": {… 2 keys}')
    expect(sign(viewer, "customer")).to_be_focused()
    press("ArrowLeft")
    expect(payload(viewer)).to_contain_text('"order": {… 2 keys}')
    press("ArrowRight")
    expect(payload(viewer)).to_contain_text('"customer": {… 2 keys}')
    press("Alt+ArrowLeft")
    expect(payload(viewer)).to_contain_text('"lines": [… 150 items]')
    press("Enter")
    expect(payload(viewer)).to_contain_text('"customer": {… 2 keys}')
    press("ArrowDown")
    expect(value(viewer, "7")).to_be_focused()


def test_find_counts_goes_round_and_looks_into_what_is_folded(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, LONG)
    sign(viewer, "lines").click()
    payload(viewer).press("Control+f")
    viewer.page.keyboard.type("sku-1")
    count = viewer.page.get_by_test_id("find-count")
    expect(count).to_have_text("61")
    viewer.page.keyboard.press("Enter")
    expect(count).to_have_text("1 of 61")
    viewer.page.keyboard.press("Shift+Enter")
    expect(count).to_have_text("61 of 61")
    expect(value(viewer, '"SKU-149"')).to_be_in_viewport()
    viewer.page.get_by_role("textbox", name="Text").fill("nowhere")
    expect(count).to_have_text("none")
    tab(viewer, "Raw").click()
    viewer.page.get_by_role("textbox", name="Text").fill('"name": "Ada"')
    expect(count).to_have_text("1")
    viewer.page.get_by_role("textbox", name="Text").focus()
    close_one_by_one(viewer, viewer.detail.locator(".find"), viewer.detail)


def test_the_border_moves_by_mouse_and_keyboard_and_is_remembered(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.set_viewport_size({"width": 1400, "height": 800})
    show(viewer, publish, subject, LONG)
    edge = viewer.page.get_by_role("separator", name="Width of the detail")

    def width() -> int:
        box = viewer.detail.bounding_box()
        assert box
        return round(box["width"])

    box = edge.bounding_box()
    assert box
    viewer.page.mouse.move(box["x"] + 3, 400)
    viewer.page.mouse.down()
    viewer.page.mouse.move(560, 400, steps=4)
    viewer.page.mouse.up()
    assert width() == 840
    expect(edge).to_have_attribute("aria-valuenow", "60")
    edge.press("ArrowRight")
    assert width() == 812
    edge.dblclick()
    assert width() == 700
    viewer.page.locator("#messages").press("w")
    assert width() == 1400
    viewer.page.locator("#messages").press("w")
    assert width() == 700
    viewer.page.reload()
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    publish(subject, LONG)
    viewer.row("SKU").click()
    assert width() == 700


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_parts_are_folded_and_sought(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    viewer = Viewer(context.new_page(), gateway.url).open()
    show(viewer, publish, subject, LONG)
    sign(viewer, "customer").click()
    assert violations(viewer.page) == []
    viewer.button("Find in the payload").click()
    viewer.page.keyboard.type("London")
    expect(viewer.page.get_by_test_id("find-count")).to_have_text(re.compile(r"^1"))
    assert violations(viewer.page) == []
    context.close()
