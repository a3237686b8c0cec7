"""Values of the JSON in columns of their own."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import Publish, item, value
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway


def begin(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    for name, price in (("a", "10"), ("b", "9.50"), ("c", "100")):
        body = f'{{"price":{price},"customer":{{"id":90071992547409{ord(name)}}}}}'
        publish(f"{subject}.{name}", body.encode())
    publish(f"{subject}.d", b"no JSON")
    expect(viewer.row(subject)).to_have_count(4)


def cells(viewer: Viewer, row: Locator) -> list[str]:
    return row.locator(".column-cell").all_inner_texts()


def heads(viewer: Viewer) -> Locator:
    return viewer.page.locator("#messages .column-head")


def test_a_value_becomes_a_column_in_both_views_and_the_address_has_it(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.set_viewport_size({"width": 1400, "height": 800})
    begin(viewer, publish, subject)
    viewer.row(f"{subject}.b").click()
    value(viewer, "9.50").click(button="right")
    item(viewer, "Show as column").click()
    expect(heads(viewer)).to_have_text(["price"])
    assert cells(viewer, viewer.row(f"{subject}.b")) == ["9.50"]
    assert cells(viewer, viewer.row(f"{subject}.d")) == [""]
    viewer.page.get_by_test_id("payload").get_by_text('"id"').click()
    item(viewer, "Show as column").click()
    expect(heads(viewer)).to_have_text(["price", "customer.id"])
    expect(viewer.page).to_have_url(re.compile(r"&c=price,customer\.id"))
    viewer.button("Latest").click()
    row = viewer.page.get_by_test_id("latest-row").filter(has_text=f"{subject}.c", visible=True)
    assert cells(viewer, row) == ["100", "9007199254740999"]
    viewer.page.reload()
    expect(heads(viewer)).to_have_text(["price", "customer.id"])


def test_latest_is_sorted_by_a_column_and_loses_it_by_keyboard(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.open(f"#s={subject}.*&c=price")
    begin(viewer, publish, subject)
    viewer.button("Latest").click()
    names = viewer.page.get_by_test_id("latest-row").filter(visible=True).locator(".latest-subject")
    viewer.page.locator("#latest-grid").get_by_role("button", name="price", exact=True).click()
    expect(names).to_have_text([f"{subject}.{name}" for name in "bacd"])
    viewer.page.keyboard.press("ArrowUp")
    press = viewer.page.keyboard.press
    expect(viewer.page.locator("#latest-grid .column-head")).to_have_class(re.compile("current"))
    press("Enter")
    expect(names).to_have_text([f"{subject}.{name}" for name in "dcab"])
    press("Delete")
    expect(heads(viewer)).to_have_count(0)
    viewer.page.get_by_test_id("toast").get_by_role("button", name="Undo").click()
    expect(heads(viewer)).to_have_text(["price"])
    viewer.button("Log").click()
    heads(viewer).get_by_role("button", name="Remove the column price").click()
    expect(viewer.page.locator(".column-cell").filter(visible=True)).to_have_count(0)


def test_on_a_phone_the_first_column_takes_the_place_of_the_payload(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.open(f"#s={subject}.*&c=price,customer.id")
    begin(viewer, publish, subject)
    row = viewer.row(f"{subject}.b")
    expect(row.locator(".column-cell").first).to_be_visible()
    expect(row.locator(".column-cell").last).to_be_hidden()
    expect(row.locator(".row-text")).to_be_hidden()
    expect(viewer.row(f"{subject}.d").locator(".row-text")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_columns(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    viewer = Viewer(context.new_page(), gateway.url).open()
    viewer.page.evaluate("location.hash = 'c=price,customer.id'")
    begin(viewer, publish, subject)
    expect(heads(viewer)).to_have_count(2)
    assert violations(viewer.page) == []
    viewer.button("Latest").click()
    assert violations(viewer.page) == []
    context.close()
