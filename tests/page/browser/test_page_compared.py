"""Messages that are pinned, and any two compared."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import Publish, payload, tab
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway


def pins(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("pins").get_by_role("listitem")


def begin(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.made", b'{"id":1,"state":"new"}')
    publish(f"{subject}.paid", b'{"id":1,"state":"paid"}')
    publish(f"{subject}.made", b'{"id":2,"state":"new"}')
    expect(viewer.row(subject)).to_have_count(3)


def test_a_pinned_message_stays_when_the_list_is_cleared(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    begin(viewer, publish, subject)
    viewer.row(f"{subject}.paid").click()
    button = viewer.detail.get_by_role("button", name="Pin", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    viewer.row('"id":2').click()
    expect(button).to_have_attribute("aria-pressed", "false")
    viewer.page.locator("#messages").press("i")
    expect(pins(viewer)).to_have_count(2)
    viewer.page.get_by_role("button", name="Clear", exact=True).click()
    viewer.button(f"{subject}.paid #2").first.click()
    expect(payload(viewer)).to_contain_text('"state": "paid"')
    viewer.button(f"Unpin {subject}.paid #2").click()
    expect(pins(viewer)).to_have_count(1)
    expect(viewer.button(f"Unpin {subject}.made #3")).to_be_focused()
    viewer.page.keyboard.press("Enter")
    expect(viewer.page.get_by_test_id("pins")).to_be_hidden()
    expect(viewer.page.locator("#messages")).to_be_focused()


def test_any_two_messages_are_compared_by_keyboard(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    begin(viewer, publish, subject)
    viewer.row(f"{subject}.paid").click()
    expect(tab(viewer, "Diff")).to_be_hidden()
    press = viewer.page.keyboard.press
    press("=")
    expect(tab(viewer, "Diff")).to_be_hidden()
    press("ArrowUp")
    press("=")
    expect(tab(viewer, "Diff")).to_have_attribute("aria-selected", "true")
    expect(payload(viewer).locator(".diff-old")).to_have_text('-   "state": "paid"')
    expect(viewer.detail).to_contain_text(f"Compared with {subject}.paid #2,")


def test_it_is_chosen_with_what_a_message_is_compared(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    begin(viewer, publish, subject)
    viewer.row(f"{subject}.paid").click()
    viewer.page.locator("#messages").press("i")
    viewer.row('"id":2').click()
    tab(viewer, "Diff").click()
    choice = viewer.page.get_by_label("Compare", exact=True)
    expect(choice.locator("option")).to_have_text(
        [
            "with the one before",
            f"with the one opened before: {subject}.paid #2",
            f"with the pinned: {subject}.paid #2",
        ]
    )
    expect(viewer.detail).to_contain_text("Compared with #1,")
    choice.select_option(index=2)
    expect(viewer.detail).to_contain_text(f"Compared with {subject}.paid #2,")
    viewer.button(f"Unpin {subject}.paid #2").click()
    viewer.row(f"{subject}.made").first.click()
    expect(viewer.detail).to_contain_text("Compared with #3,")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_pins_and_a_choice(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    viewer = Viewer(context.new_page(), gateway.url).open()
    begin(viewer, publish, subject)
    viewer.row(f"{subject}.paid").click()
    viewer.page.locator("#messages").press("i")
    assert violations(viewer.page) == []
    viewer.row('"id":2').click()
    tab(viewer, "Diff").click()
    assert violations(viewer.page) == []
    context.close()
