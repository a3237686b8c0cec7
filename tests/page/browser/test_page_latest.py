"""The Latest view: a row for each subject."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect

from tests.page.support.viewer import Viewer
from tests.support.raw_nats import RawNats

Publish = Callable[[str, bytes], None]

BURST = 20_000  # ms for thousands of messages on a busy machine


def latest(viewer: Viewer) -> Locator:
    """Turn to the Latest view and return its grid."""
    viewer.button("Latest").click()
    return viewer.page.get_by_role("grid", name="Latest")


def rows(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("latest-row").filter(visible=True)


def row(viewer: Viewer, subject: str) -> Locator:
    name = viewer.page.get_by_text(subject, exact=True)
    return rows(viewer).filter(has=name)


def head(viewer: Viewer, name: str) -> Locator:
    return viewer.page.get_by_role("columnheader", name=name, exact=True)


def expect_subjects(viewer: Viewer, *names: str) -> None:
    cells = viewer.page.locator(".latest-row:not([hidden]) .latest-subject")
    expect(cells).to_have_text(list(names))


def test_three_subjects_are_three_rows_with_counts(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    for number in range(100):
        for name in ("b", "c", "a"):
            publish(f"{subject}.{name}", json.dumps({"number": number}).encode())
    viewer.expect_figure("received", "300")
    latest(viewer)
    expect_subjects(viewer, *(f"{subject}.{name}" for name in "abc"))
    for name in "abc":
        cells = row(viewer, f"{subject}.{name}").get_by_role("gridcell")
        expect(cells.nth(1)).to_have_text("100")
        expect(cells.nth(2)).to_have_text(re.compile(r"^[\d.]+/(s|min)$"))  # it falls with time
        expect(cells.nth(3)).to_have_text('{"number": 99}')
        expect(cells.nth(4)).to_have_text(re.compile(r"^(now|\d+ s)$"))


def test_last_value_rate_and_age_change_in_place(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    latest(viewer)
    publish(subject, b"first")
    expect(row(viewer, subject)).to_contain_text("first")
    expect(row(viewer, subject).get_by_role("gridcell").nth(2)).to_have_text("–")
    publish(subject, b"\xff\xfe")
    expect(row(viewer, subject)).to_contain_text("binary")
    cells = row(viewer, subject).get_by_role("gridcell")
    expect(cells.nth(1)).to_have_text("2")
    expect(cells.nth(2)).not_to_have_text("–")
    expect(cells.nth(4)).to_have_text(re.compile(r"^[2-9] s$"), timeout=BURST)
    expect(cells.nth(2)).to_have_text(re.compile(r"^\d+/min$"), timeout=BURST)
    expect(rows(viewer)).to_have_count(1)


def test_a_value_is_short_and_never_markup(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.>")
    latest(viewer)
    publish(f"{subject}.<b>", b"<img src=x onerror=alert(1)>" + b"x" * 100_000)
    expect(row(viewer, f"{subject}.<b>")).to_contain_text("<img src=x onerror=alert(1)>")
    value = viewer.page.locator(".latest-row:not([hidden]) .latest-value")
    assert len(value.inner_text()) <= 300
    expect(viewer.page.locator("img[src=x]")).to_have_count(0)


def test_subjects_without_number_are_bounded(
    viewer: Viewer, raw_nats: RawNats, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    grid = latest(viewer)
    names = (f"{subject}.{number}".encode() for number in range(5_003))
    raw_nats.send(b"".join(raw_nats.command(name, b"1") for name in names))
    expect(viewer.page.get_by_test_id("received")).to_have_text("5,003", timeout=BURST)
    expect(grid).to_have_attribute("aria-rowcount", "5002", timeout=BURST)  # with head and others
    expect(rows(viewer).first).to_contain_text(f"{subject}.3")
    assert viewer.page.get_by_test_id("latest-row").count() <= 120
    grid.press("End")
    others = rows(viewer).filter(has_text="other subjects")
    expect(rows(viewer).filter(has_text=f"{subject}.5002")).to_be_in_viewport()
    grid.evaluate("grid => { grid.scrollTop = grid.scrollHeight }")
    expect(others).to_be_in_viewport()
    grid.press("Home")
    expect(others).not_to_be_in_viewport()
    grid.press("End")
    expect(others).to_be_in_viewport()
    expect(others.get_by_role("gridcell").nth(1)).to_have_text("3")


def test_headings_sort_and_turn_round(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    latest(viewer)
    for received, name, count in ((3, "d10", 3), (4, "d2", 1), (6, "d1", 2)):
        for number in range(count):
            publish(f"{subject}.{name}", str(number * count).encode())
        viewer.expect_figure("received", str(received))  # so that they differ in age
    d1, d2, d10 = (f"{subject}.{name}" for name in ("d1", "d2", "d10"))
    expect_subjects(viewer, d1, d2, d10)
    expect(head(viewer, "Subject")).to_have_attribute("aria-sort", "ascending")
    for name, order, direction in (
        ("Subject", (d10, d2, d1), "descending"),
        ("Count", (d10, d1, d2), "descending"),
        ("Count", (d2, d1, d10), "ascending"),
        ("Last value", (d2, d1, d10), "ascending"),
        ("Age", (d1, d2, d10), "ascending"),
    ):
        head(viewer, name).get_by_role("button").click()
        expect_subjects(viewer, *order)
        expect(head(viewer, name)).to_have_attribute("aria-sort", direction)
    expect(viewer.page.locator("[aria-sort]")).to_have_count(1)


def test_keyboard_moves_sorts_and_opens(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    grid = latest(viewer)
    for name in ("a", "b", "c"):
        publish(f"{subject}.{name}", f'"last of {name}"'.encode())
    expect_subjects(viewer, *(f"{subject}.{name}" for name in "abc"))
    viewer.page.locator("#tell-button").focus()
    viewer.page.keyboard.press("Tab")
    expect(grid).to_be_focused()
    grid.press("ArrowDown")
    expect(row(viewer, f"{subject}.a")).to_have_attribute("aria-selected", "true")
    grid.press("ArrowDown")
    active = row(viewer, f"{subject}.b").get_attribute("id")
    expect(grid).to_have_attribute("aria-activedescendant", str(active))
    grid.press("Enter")
    expect(viewer.detail).to_contain_text("last of b")
    grid.press("Escape")
    expect(viewer.detail).to_be_hidden()
    grid.press("End")
    expect(row(viewer, f"{subject}.c")).to_have_attribute("aria-selected", "true")
    grid.press("Home")
    grid.press("ArrowUp")
    expect(grid).to_have_attribute("aria-activedescendant", "latest-head-subject")
    grid.press("ArrowRight")
    grid.press("ArrowLeft")
    grid.press("Enter")
    expect_subjects(viewer, *(f"{subject}.{name}" for name in "cba"))
    grid.press("ArrowDown")
    expect(row(viewer, f"{subject}.c")).to_have_attribute("aria-selected", "true")
    grid.press("Tab")
    expect(grid).not_to_be_focused()


def test_the_row_under_the_pointer_when_it_went_down_is_the_one_chosen(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    latest(viewer)
    publish(f"{subject}.m", b'"meant"')
    expect_subjects(viewer, f"{subject}.m")
    box = row(viewer, f"{subject}.m").bounding_box()
    assert box
    mouse = viewer.page.mouse
    mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
    mouse.down()
    publish(f"{subject}.a", b'"came above it"')
    expect_subjects(viewer, f"{subject}.m", f"{subject}.a")  # at the end, and at once
    expect(viewer.page.get_by_text("Order held · 2 rows would move")).to_be_visible()
    mouse.up()
    expect(viewer.detail).to_contain_text("meant")
    expect_subjects(viewer, f"{subject}.m", f"{subject}.a")
    expect(row(viewer, f"{subject}.m")).to_have_attribute("aria-selected", "true")
    mouse.move(5, 5)
    viewer.field.focus()
    expect_subjects(viewer, f"{subject}.a", f"{subject}.m")
    expect(viewer.page.get_by_text("Order held")).to_be_hidden()


def test_a_line_that_shows_another_subject_by_now_is_not_what_was_chosen(
    viewer: Viewer, raw_nats: RawNats, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    grid = latest(viewer)
    names = (f"{subject}.{number}".encode() for number in range(100, 200))
    raw_nats.send(b"".join(raw_nats.command(name, b'"%b"' % name) for name in names))
    box = row(viewer, f"{subject}.105").bounding_box()
    assert box
    viewer.page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)
    viewer.page.mouse.down()
    grid.evaluate("grid => { grid.scrollTop = 20 * 24 }")
    expect(row(viewer, f"{subject}.125")).to_be_in_viewport()
    viewer.page.mouse.up()
    expect(viewer.detail).to_contain_text(f'"{subject}.105"')


def test_paused_it_stands_still_and_comes_back(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    latest(viewer)
    publish(f"{subject}.a", b'"before"')
    expect(row(viewer, f"{subject}.a")).to_contain_text("before")
    viewer.button("Pause").click()
    viewer.expect_state("paused")
    before = rows(viewer).all_inner_texts()
    publish(f"{subject}.a", b'"during"')
    publish(f"{subject}.b", b'"during"')
    expect(viewer.button("Resume (2 new)")).to_be_visible()
    viewer.page.evaluate("new Promise(done => setTimeout(done, 1500))")
    assert rows(viewer).all_inner_texts() == before
    viewer.button("Resume").click()
    expect(rows(viewer).filter(has_text="during")).to_have_count(2)


def test_the_log_comes_back_as_it_was(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    for number in range(200):
        publish(subject, f'"number {number}"'.encode())
    expect(viewer.row("number 199")).to_be_in_viewport()
    viewer.page.get_by_role("grid", name="Messages").hover()
    viewer.page.mouse.wheel(0, -1_000)
    viewer.expect_state("paused")
    place = "document.getElementById('messages').scrollTop"
    scrolled = viewer.page.evaluate(place)
    grid = latest(viewer)
    expect(grid).to_be_visible()
    expect(viewer.row("number")).to_have_count(0)
    viewer.button("Log").click()
    expect(viewer.row("number").first).to_be_visible()
    expect(grid).to_be_hidden()
    assert viewer.page.evaluate(place) == scrolled


def test_on_a_phone_rows_have_two_lines_and_headings_fit_a_thumb(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.follow(subject)
    latest(viewer)
    publish(subject, b'"' + b"long " * 200 + b'"')
    expect(row(viewer, subject)).to_be_visible()
    assert row(viewer, subject).evaluate("row => row.offsetHeight") == 48
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= 360
    buttons = viewer.page.locator(".latest-heads button, .segments button")
    sizes = buttons.evaluate_all("all => all.map(b => [b.offsetWidth, b.offsetHeight])")
    assert len(sizes) == 8
    assert all(min(size) >= 44 for size in sizes), sizes


def test_the_detail_follows_in_latest_until_the_reader_goes_elsewhere(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    latest(viewer)
    publish(f"{subject}.a", b'"ORD-8"')
    row(viewer, f"{subject}.a").click()
    follow = viewer.detail.get_by_role("button", name="Follow")
    expect(follow).to_have_attribute("aria-pressed", "true")
    for number in (9, 10):
        publish(f"{subject}.a", f'"ORD-{number}"'.encode())
        publish(f"{subject}.b", b'"another subject"')
        expect(viewer.detail).to_contain_text(f"ORD-{number}")
    viewer.button("Older").click()
    expect(viewer.detail).to_contain_text("ORD-9")
    expect(follow).to_have_attribute("aria-pressed", "false")
    publish(f"{subject}.a", b'"ORD-11"')
    expect(row(viewer, f"{subject}.a")).to_contain_text("ORD-11")
    expect(viewer.detail).to_contain_text("ORD-9")
    follow.click()
    expect(viewer.detail).to_contain_text("ORD-11")
    viewer.button("Log").click()
    viewer.row("ORD-8").click()
    expect(follow).to_have_attribute("aria-pressed", "false")
    viewer.button("Resume").click()
    publish(f"{subject}.a", b'"ORD-12"')
    expect(viewer.row("ORD-12")).to_have_count(1)
    expect(viewer.detail).to_contain_text("ORD-8")


def test_going_along_a_subject_in_latest_does_not_stop_it(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b'"first"')
    viewer.button("Latest").click()
    viewer.page.locator(".latest-row:visible").first.click()
    expect(viewer.detail).to_contain_text("first")
    publish(subject, b'"second"')
    expect(viewer.detail).to_contain_text("second")
    viewer.detail.get_by_role("button", name="Older").click()
    expect(viewer.detail).to_contain_text("first")
    expect(viewer.button("Pause")).to_be_visible()
