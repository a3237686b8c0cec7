"""The page in windows of little height or width."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.page.support.detail import Publish, plot, show, tab, value
from tests.page.support.viewer import Viewer

OUTSIDE = """() => {
  const { scrollHeight, scrollWidth, clientHeight, clientWidth } = document.documentElement;
  return [scrollHeight - clientHeight, scrollWidth - clientWidth];
}"""


@pytest.mark.parametrize(("width", "height", "least"), [(640, 400, 8), (844, 390, 7)])
def test_in_a_low_window_most_of_it_is_messages(
    viewer: Viewer, publish: Publish, subject: str, width: int, height: int, least: int
) -> None:
    viewer.page.set_viewport_size({"width": width, "height": height})
    viewer.follow(f"{subject}.*", "another.>")
    for number in range(30):
        publish(f"{subject}.a", str(number).encode())
    expect(viewer.row(f"{subject}.a").last).to_be_in_viewport()
    room = viewer.page.locator("#messages").evaluate("grid => grid.clientHeight - 28")
    row = viewer.page.get_by_test_id("row").first.evaluate("row => row.offsetHeight")
    assert room / row >= least
    assert viewer.page.evaluate(OUTSIDE) == [0, 0]
    for name in ("Subscribe", "Latest", "Pause", "Clear", "Export", "Settings"):
        button = viewer.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_in_viewport()
    covered = viewer.page.evaluate("""[...document.querySelectorAll("button")]
      .filter((button) => button.checkVisibility({ visibilityProperty: true }))
      .filter((button) => !button.closest(".chips, .empty, dialog, [popover]"))
      .filter((button) => {
        const { left, top, width, height } = button.getBoundingClientRect();
        return !button.contains(document.elementFromPoint(left + width / 2, top + height / 2));
      }).map((button) => button.id || button.textContent)""")
    assert covered == []


def test_at_400_percent_nothing_is_beside_the_page(viewer: Viewer, subject: str) -> None:
    viewer.page.set_viewport_size({"width": 320, "height": 256})
    viewer.follow(subject, "another.>")
    assert viewer.page.evaluate(OUTSIDE)[1] == 0
    box = viewer.page.get_by_role("button", name="Subscribe", exact=True).bounding_box()
    assert box
    assert box["x"] + box["width"] <= 320


@pytest.mark.parametrize("width", [600, 620, 640, 660])
def test_the_word_for_the_state_has_its_room(viewer: Viewer, width: int) -> None:
    viewer.page.set_viewport_size({"width": width, "height": 700})
    word = viewer.page.locator("#state-word").bounding_box()
    rate = viewer.page.locator(".rate").bounding_box()
    assert word
    assert rate
    assert word["x"] + word["width"] < rate["x"]


@pytest.mark.parametrize(("width", "height"), [(1366, 625), (1366, 560), (1280, 720), (390, 844)])
def test_with_a_plot_the_detail_stays_in_the_window(
    viewer: Viewer, publish: Publish, subject: str, width: int, height: int
) -> None:
    viewer.page.set_viewport_size({"width": width, "height": height})
    show(viewer, publish, subject, b'{"n":1,"list":[1,2,3,4,5,6,7,8,9]}', b'{"n":20}')
    value(viewer, "20").click()
    expect(plot(viewer)).to_be_visible()
    assert viewer.page.evaluate(OUTSIDE) == [0, 0]
    for name in ("Copy", "Download", "Older", "Newer"):
        expect(viewer.button(name)).to_be_in_viewport(ratio=1)
    if height < 700:
        expect(viewer.page.get_by_test_id("payload")).to_be_hidden()
        tab(viewer, "Raw").click()
        expect(plot(viewer)).to_be_hidden()
    expect(viewer.page.get_by_test_id("payload")).to_be_visible()


def test_a_long_subject_leaves_room_for_its_message(viewer: Viewer, publish: Publish) -> None:
    subject = ".".join(f"segment{number:02}" for number in range(25))
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    show(viewer, publish, subject, b"1")
    name = viewer.page.locator(".detail-name")
    assert (
        name.evaluate("name => name.offsetHeight / parseFloat(getComputedStyle(name).lineHeight)")
        < 3.1
    )
    close, head = (
        viewer.page.locator(each).bounding_box() for each in (".detail-close", ".detail-head")
    )
    assert close
    assert head
    assert close["y"] == head["y"]
    viewer.page.locator(".detail-subject").click()
    expect(viewer.page.locator(".menu-head")).to_have_text(subject)
