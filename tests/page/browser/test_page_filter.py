"""The filter in a real browser: what is typed holds for what is there and for what arrives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.support.tasks import longest_task
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, until

Publish = Callable[[str, bytes], None]


@pytest.fixture
def field(viewer: Viewer) -> Locator:
    """The filter field."""
    return viewer.page.get_by_role("textbox", name="Filter")


def publish_levels(publish: Publish, subject: str, start: int, end: int) -> None:
    """Publish messages of which every third is an error, and every ninth a debug one, too."""
    for number in range(start, end):
        words = ["error"] * (number % 3 == 0) + ["DEBUG"] * (number % 9 == 0)
        publish(f"{subject}.{number % 2}", json.dumps({"n": number, "s": words}).encode())


def numbers(viewer: Viewer) -> list[int]:
    """Return the `n` of each row in sight."""
    rows = viewer.page.get_by_test_id("row").filter(visible=True)
    texts = rows.locator(".row-text").all_text_contents()
    return [json.loads(text)["n"] for text in texts]


def re_of(sentence: str) -> re.Pattern[str]:
    """Return a pattern for a text with this sentence in it."""
    return re.compile(re.escape(sentence))


def expect_numbers(viewer: Viewer, wanted: list[int]) -> None:
    """Wait until the rows in sight have these `n`."""
    until(lambda: numbers(viewer) == wanted)


def test_filter_holds_while_messages_arrive_and_clearing_brings_all_back(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    viewer.follow(f"{subject}.*")
    publish_levels(publish, subject, 0, 20)
    viewer.expect_figure("received", "20")
    field.fill("error -debug")
    viewer.expect_figure("shown", "4 of 20")
    publish_levels(publish, subject, 20, 60)
    viewer.expect_figure("shown", "13 of 60")
    wanted = [number for number in range(60) if number % 3 == 0 and number % 9]
    expect(viewer.row('"n"')).to_have_count(len(wanted))
    expect_numbers(viewer, wanted)
    field.fill(f"error -debug subject:{subject}.1")
    viewer.expect_figure("shown", "7 of 60")
    field.fill('/"n": 1\\d,/ -"error"')
    viewer.expect_figure("shown", "7 of 60")
    expect_numbers(viewer, [10, 11, 13, 14, 16, 17, 19])
    viewer.button("Clear filter").click()
    expect(field).to_have_value("")
    expect(field).to_be_focused()
    viewer.expect_figure("shown", "")
    expect(viewer.row('"n": 59')).to_be_in_viewport()
    publish_levels(publish, subject, 60, 61)
    expect(viewer.row('"n": 60')).to_be_in_viewport()


def test_large_figures_are_grouped_and_shrink_with_what_is_kept(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    kept = 1_000
    viewer.follow(f"{subject}.*")
    field.fill("error -debug")
    publish_levels(publish, subject, 0, 1_100)
    viewer.expect_figure("received", "1,100")
    counted = viewer.page.get_by_test_id("kept").inner_text()
    assert counted in {"1,000", "1,100"}
    first = 1_100 - kept if counted == "1,000" else 0
    wanted = [n for n in range(first, 1_100) if n % 3 == 0 and n % 9]
    viewer.expect_figure("shown", f"{len(wanted)} of {counted}")


def test_filter_works_while_the_list_stands_still(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    viewer.follow(f"{subject}.*")
    publish_levels(publish, subject, 0, 20)
    viewer.expect_figure("received", "20")
    viewer.button("Pause").click()
    viewer.expect_state("paused")
    publish_levels(publish, subject, 20, 40)
    viewer.expect_figure("received", "40")
    field.fill("error")
    viewer.expect_figure("shown", "7 of 20")
    expect_numbers(viewer, [0, 3, 6, 9, 12, 15, 18])
    field.fill("")
    expect(viewer.row('"n"')).to_have_count(20)
    field.fill("debug")
    viewer.expect_figure("shown", "3 of 20")
    publish_levels(publish, subject, 40, 60)
    expect(viewer.button("Resume (40 new)")).to_be_visible()
    viewer.expect_figure("shown", "3 of 20")
    expect_numbers(viewer, [0, 9, 18])
    viewer.button("Resume").click()
    viewer.expect_figure("shown", "7 of 60")
    expect_numbers(viewer, [0, 9, 18, 27, 36, 45, 54])


def test_filtered_list_that_stands_still_can_be_scrolled_and_does_not_move(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    viewer.follow(f"{subject}.*")
    publish_levels(publish, subject, 0, 300)
    field.fill("error")
    viewer.expect_figure("shown", "100 of 300")
    viewer.page.get_by_role("grid", name="Messages").hover()
    viewer.page.mouse.wheel(0, -600)
    viewer.expect_state("paused")
    expect(viewer.row('"n": 297,')).not_to_be_in_viewport()
    scroll_top = "document.getElementById('messages').scrollTop"
    place = viewer.page.evaluate(scroll_top)
    seen = numbers(viewer)
    publish_levels(publish, subject, 300, 400)
    viewer.expect_figure("received", "400")
    assert (viewer.page.evaluate(scroll_top), numbers(viewer)) == (place, seen)
    middle = viewer.page.get_by_test_id("row").filter(visible=True).nth(10)
    middle.click()
    expect(viewer.detail).to_contain_text(subject)
    field.fill("")
    picked = viewer.page.locator(".row[aria-selected=true]")
    expect(picked).to_be_in_viewport()


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ('error "two', "has no end"),
        ("/(/", "is not a regular expression"),
        ("subject:orders*", "must stand alone"),
    ],
)
def test_mistake_is_explained_and_the_filter_before_holds(
    viewer: Viewer, publish: Publish, subject: str, field: Locator, typed: str, sentence: str
) -> None:
    viewer.follow(f"{subject}.*")
    publish_levels(publish, subject, 0, 9)
    field.fill("error")
    viewer.expect_figure("shown", "3 of 9")
    field.fill(typed)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re_of(sentence))
    publish_levels(publish, subject, 9, 12)
    viewer.expect_figure("shown", "4 of 12")
    field.press("Escape")
    expect(field).to_have_value("")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(viewer.row('"n"')).to_have_count(12)


def test_nothing_that_passes_is_said_in_words(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    viewer.follow(f"{subject}.*")
    none = viewer.page.get_by_test_id("none")
    field.fill("needle")
    expect(none).to_be_hidden()
    publish_levels(publish, subject, 0, 5)
    viewer.expect_figure("shown", "0 of 5")
    expect(none).to_be_visible()
    publish(f"{subject}.x", b'{"n":7,"x":"Needle"}')
    viewer.expect_figure("shown", "1 of 6")
    expect(none).to_be_hidden()
    expect_numbers(viewer, [7])


def open_link(viewer: Viewer, subject: str, query: str) -> None:
    """Open the page by a link with this filter, and wait until it gets messages."""
    viewer.page.goto("about:blank")
    viewer.open(f"#s={subject}.*&q={query}")
    expect(viewer.chip(f"{subject}.*")).to_have_attribute("data-state", "active")


def test_filter_of_a_link_holds_at_once_but_a_regex_waits_for_enter(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    open_link(viewer, subject, "error%20-debug")
    expect(field).to_have_value("error -debug")
    publish_levels(publish, subject, 0, 9)
    viewer.expect_figure("shown", "2 of 9")
    open_link(viewer, subject, "/err.r/")
    publish_levels(publish, subject, 0, 9)
    viewer.expect_figure("received", "9")
    expect(field).to_have_accessible_description(re_of("Press Enter"))
    expect(field).not_to_have_attribute("aria-invalid", "true")
    expect(viewer.row('"n"')).to_have_count(9)
    field.press("End")
    field.type(" -debug")
    expect(viewer.row('"n"')).to_have_count(9)
    field.press("Enter")
    viewer.expect_figure("shown", "2 of 9")
    field.fill("/DEBUG/")
    viewer.expect_figure("shown", "1 of 9")


def test_system_subjects_are_hidden_on_request_and_counted(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    system = f"$SRV.{subject}"
    hide = viewer.page.get_by_label("Hide system subjects")
    viewer.follow(f"{subject}.*", f"{system}.*")
    publish_levels(publish, subject, 0, 3)
    viewer.expect_figure("received", "3")
    expect(hide).to_be_hidden()
    publish_levels(publish, system, 3, 5)
    expect(viewer.row(system)).to_have_count(2)
    hide.check()
    expect(viewer.row(system)).to_have_count(0)
    viewer.expect_figure("hidden", "2 hidden")
    viewer.expect_figure("shown", "3 of 5")
    publish_levels(publish, system, 5, 6)
    viewer.expect_figure("hidden", "3 hidden")
    hide.uncheck()
    expect(viewer.row(system)).to_have_count(3)
    viewer.expect_figure("hidden", "")


def test_list_goes_on_where_the_filter_takes_room_from_it(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.follow(f"{subject}.*")
    publish_levels(publish, subject, 0, 100)
    expect(viewer.row('"n": 99,')).to_be_in_viewport()
    # As when the line below the field appears between a paint and the scroll event it causes.
    viewer.page.evaluate(
        """() => {
          document.getElementById("looking").style.height = "12rem";
          document.getElementById("messages").dispatchEvent(new Event("scroll"));
        }"""
    )
    field.fill("error")
    viewer.expect_figure("shown", "34 of 100")
    expect(viewer.row('"n": 99,')).to_be_in_viewport()
    viewer.expect_state("live")


FILL = """async () => {
  const { Ring } = await import(new URL("page/js/model/ring.js", document.baseURI));
  window.ring = new Ring(100_000);
  for (let n = 0; n < 100_000; n += 1) {
    const raw = `{"id":${n},"note":"${"lorem ipsum dolor sit amet ".repeat(6)}"}`;
    ring.push({ kind: "message", subject: "orders.created", raw, encoding: "json", time: 0 });
  }
}"""
SEARCH = """async () => {
  const { Shown } = await import(new URL("page/js/model/shown.js", document.baseURI));
  const { parseFilter } = await import(new URL("page/js/model/filter.js", document.baseURI));
  await new Promise(done => setTimeout(done)); // a task of its own, which is traced
  const words = Array.from({ length: 60 }, (_, n) => `-absent${n}`).join(" ");
  const found = await new Promise(done => {
    const shown = new Shown(window.ring, () => shown.searching || done(shown.count));
    shown.filterBy(parseFilter(words));
  });
  if (found !== 100_000) throw Error(`${found} are shown`);
}"""


def test_search_in_a_hundred_thousand_messages_blocks_nothing(viewer: Viewer) -> None:
    viewer.page.evaluate(FILL)
    assert longest_task(viewer.page, SEARCH) <= 100


def test_link_brings_filter_and_view_and_reload_keeps_them(
    page: Page, gateway: Gateway, publish: Publish, subject: str
) -> None:
    viewer = Viewer(page, gateway.url).open(f"#s={subject}.*,{subject}.deep.>&q=error&v=latest")
    expect(page.get_by_test_id("chip")).to_have_count(2)
    expect(page.get_by_test_id("filter")).to_have_value("error")
    expect(viewer.button("Latest")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("filter").fill("error -debug")
    viewer.button("Log").click()
    page.reload()
    expect(page.get_by_test_id("filter")).to_have_value("error -debug")
    expect(viewer.button("Log")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("chip")).to_have_count(2)


def test_in_latest_a_filter_shows_the_newest_match_of_each_subject(
    viewer: Viewer, publish: Publish, subject: str, field: Locator
) -> None:
    viewer.follow(f"{subject}.*")
    viewer.button("Latest").click()
    for name, order in (("a", 7), ("b", 7), ("c", 1), ("a", 8)):
        publish(f"{subject}.{name}", f'"ORD-{order}"'.encode())
    viewer.expect_figure("received", "4")
    values = viewer.page.locator(".latest-row:not([hidden]) .latest-value")
    expect(values).to_have_text(['"ORD-8"', '"ORD-7"', '"ORD-1"'])
    field.fill("ORD-7")
    expect(values).to_have_text(['"ORD-7"', '"ORD-7"'])
    viewer.expect_figure("shown", "2 of 3 subjects")
    publish(f"{subject}.b", b'"ORD-8"')
    publish(f"{subject}.c", b'"ORD-7, too"')
    viewer.expect_figure("shown", "3 of 3 subjects")
    expect(values).to_have_text(['"ORD-7"', '"ORD-7"', '"ORD-7, too"'])
    viewer.page.get_by_test_id("latest-row").filter(visible=True).first.click()
    expect(viewer.detail).to_contain_text("ORD-7")
    field.fill("nowhere")
    expect(values).to_have_count(0)
    viewer.expect_figure("shown", "0 of 3 subjects")
    expect(viewer.page.get_by_test_id("none")).to_have_text(
        "No subject has a message that matches."
    )
    viewer.button("Log").click()
    expect(viewer.page.get_by_test_id("none")).to_have_text("No message passes the filter.")
    viewer.expect_figure("shown", "0 of 6")


MARKED = """() => [...(CSS.highlights.get("match") ?? [])]
  .map(({ startContainer, startOffset, endOffset }) =>
    startContainer.data.slice(startOffset, endOffset))"""


def test_what_the_filter_found_is_marked_in_rows_and_in_the_detail(
    viewer: Viewer, publish: Publish, field: Locator
) -> None:
    subject = "marked.one"
    viewer.follow(subject)
    publish(subject, b'{"level":"Error","code":17,"text":"no error"}')
    field.fill("error -debug /1\\d/")
    until(lambda: len(viewer.page.evaluate(MARKED)) == 3)
    assert sorted(viewer.page.evaluate(MARKED)) == ["17", "Error", "error"]
    viewer.row(subject).click()
    until(lambda: len(viewer.page.evaluate(MARKED)) == 6)
    field.fill("")
    until(lambda: len(viewer.page.evaluate(MARKED)) == 0)
