"""What streams have stored: asked for, shown, in Latest, in the detail and in the address."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.browser.test_page_latest import row
from tests.page.support.detail import item
from tests.page.support.streams import Streams
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

DELETED = b"NATS/1.0\r\nKV-Operation: DEL\r\n\r\n"


@pytest.fixture
def stream(streams: Streams) -> str:
    """A stream of the subjects below its name, with ten messages on two of them."""
    name = f"S{uuid4().hex[:8]}"
    streams.make(name, f"{name}.>")
    streams.fill(name, f"{name}.a", *(b'{"n":%d}' % number for number in range(1, 10)))
    streams.publish(f"{name}.b", b'{"n":10}')
    return name


def clock(viewer: Viewer, pattern: str) -> Locator:
    return viewer.page.get_by_role("button", name=f"What came before, {pattern}")


def choose(viewer: Viewer, pattern: str, choice: str) -> None:
    clock(viewer, pattern).click()
    item(viewer, choice).click()


def shown(viewer: Viewer) -> list[str]:
    """Payloads and notes of the list, as they stand."""
    texts = viewer.page.locator("#messages .row:not([hidden]) .row-text").all_inner_texts()
    return [re.sub(r"^\{\"n\":(\d+)\}$", r"\1", text) for text in texts]


def test_the_menu_of_a_chip_brings_what_came_before(
    stream_viewer: Viewer, streams: Streams, stream: str
) -> None:
    viewer, pattern = stream_viewer, f"{stream}.a"
    viewer.follow(pattern)
    expect(clock(viewer, pattern)).to_be_visible()
    viewer.expect_figure("received", "0")
    choose(viewer, pattern, "The last 100")
    viewer.expect_figure("received", "9")
    note = viewer.row("replayed 9, live from here")
    expect(note).to_have_class(re.compile(r"\bpast\b"))
    assert shown(viewer) == [*"123456789", "replayed 9, live from here"]
    expect(viewer.page.locator(".row.replayed:not([hidden])")).to_have_count(9)
    streams.publish(pattern, b'{"n":11}')
    expect(viewer.row('"n":11')).not_to_have_class(re.compile("replayed"))
    assert viewer.page.url.endswith(f"#s={pattern}@last:100")
    viewer.expect_figure("received", "10")
    viewer.expect_figure("kept", "10")
    choose(viewer, pattern, "All that is stored")
    viewer.expect_figure("received", "20")
    expect(viewer.row(f"{pattern}: all that is stored")).to_have_count(1)
    choose(viewer, pattern, "Only what is new")
    expect(viewer.page).to_have_url(re.compile(f"#s={re.escape(pattern)}$"))


def test_a_pattern_that_no_stream_stores_has_no_clock(
    stream_viewer: Viewer, streams: Streams
) -> None:
    plain = f"plain.{uuid4().hex[:8]}"
    stream_viewer.follow(plain)
    streams.publish(plain, b"1")
    stream_viewer.expect_figure("received", "1")
    expect(clock(stream_viewer, plain)).to_be_hidden()


def test_all_of_it_is_done_by_keyboard(stream_viewer: Viewer, stream: str) -> None:
    viewer, pattern = stream_viewer, f"{stream}.a"
    press = viewer.page.keyboard.press
    viewer.follow("plain", pattern)
    expect(clock(viewer, pattern)).to_be_visible()
    viewer.page.get_by_role("button", name="Unsubscribe plain").focus()
    press("ArrowRight")
    expect(clock(viewer, pattern)).to_be_focused()
    press("Enter")
    press("ArrowDown")
    expect(item(viewer, "The last 5 minutes")).to_be_focused()
    press("Enter")
    viewer.expect_figure("received", "9")
    expect(clock(viewer, pattern)).to_be_focused()
    press("Enter")
    press("Escape")
    expect(clock(viewer, pattern)).to_be_focused()
    press("Delete")
    expect(viewer.chip(pattern)).to_have_count(0)
    expect(viewer.page.get_by_role("button", name="Unsubscribe plain")).to_be_focused()


def test_the_address_carries_what_was_asked_for(
    page: Page, stream_gateway: Gateway, stream: str
) -> None:
    viewer = Viewer(page, stream_gateway.url)
    page.goto(f"{viewer.url}/#s={stream}.a@last:3,other")
    viewer.expect_figure("received", "3")
    expect(viewer.row(f"{stream}.a: replayed 3, live from here")).to_have_count(1)
    page.reload()
    viewer.expect_figure("received", "3")
    assert page.url.endswith(f"#s={stream}.a@last:3,other")
    viewer.enter(f"nats sub --last-per-subject '{stream}.*'")
    viewer.expect_figure("received", "4")  # that of the other subject is there already
    assert page.url.endswith(f"#s={stream}.a@last:3,other,{stream}.*@last_per_subject")
    page.go_back()
    expect(viewer.chip(f"{stream}.*")).to_have_count(0)


@pytest.mark.parametrize(
    ("flag", "count"),
    [("--last 4", 4), ("--all", 10), ("--since 5m", 10), ("--start-sequence 7", 4)],
)
def test_a_line_from_a_terminal_is_understood(
    stream_viewer: Viewer, stream: str, flag: str, count: int
) -> None:
    stream_viewer.enter(f"nats sub {flag} {stream}.>")
    stream_viewer.expect_figure("received", str(count))


def test_latest_fills_at_once_and_strikes_out_deleted_keys(
    stream_viewer: Viewer, streams: Streams
) -> None:
    viewer, bucket = stream_viewer, f"b{uuid4().hex[:8]}"
    pattern = f"$KV.{bucket}.>"
    streams.bucket(bucket)
    for number in range(3):
        streams.publish(f"$KV.{bucket}.k{number}", b'"dark"')
    viewer.follow(pattern)
    viewer.button("Latest").click()
    choose(viewer, pattern, "The latest of each subject")
    expect(viewer.page.get_by_test_id("latest-row").filter(has_text="dark")).to_have_count(3)
    streams.publish(f"$KV.{bucket}.k1", headers=DELETED)
    deleted = row(viewer, f"$KV.{bucket}.k1")
    expect(deleted).to_have_class(re.compile(r"\bgone\b"))
    expect(deleted).to_contain_text("deleted")
    line = deleted.locator(".latest-subject")
    assert line.evaluate("e => getComputedStyle(e).textDecorationLine") == "line-through"
    assert violations(viewer.page) == []
    viewer.button("Log").click()
    viewer.page.get_by_test_id("filter").fill("is:deleted")
    expect(viewer.page.get_by_test_id("shown")).to_contain_text("1 of 4")


def test_older_messages_do_not_take_the_place_of_newer_ones_in_latest(
    stream_viewer: Viewer, streams: Streams, stream: str
) -> None:
    viewer = stream_viewer
    viewer.follow(f"{stream}.>")
    streams.publish(f"{stream}.b", b'"newest"')
    viewer.button("Latest").click()
    expect(row(viewer, f"{stream}.b")).to_contain_text("newest")
    viewer.enter(f"nats sub --all {stream}.b")
    viewer.expect_figure("received", "2")  # the newest one has come already
    expect(row(viewer, f"{stream}.b")).to_contain_text("newest")


def test_the_detail_says_where_a_message_is_stored(stream_viewer: Viewer, stream: str) -> None:
    viewer = stream_viewer
    viewer.enter(f"nats sub --all {stream}.>")
    viewer.row('"n":3').click()
    expect(viewer.detail.get_by_test_id("stored")).to_have_text(
        f"Stored in {stream} as 3 · replayed"
    )
    assert violations(viewer.page) == []
    viewer.page.get_by_test_id("filter").fill("is:replayed")
    expect(viewer.page.get_by_test_id("shown")).to_contain_text("10")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_the_past_is_shown(
    stream_viewer: Viewer, stream: str, scheme: str
) -> None:
    viewer = stream_viewer
    viewer.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    viewer.follow(f"{stream}.>")
    clock(viewer, f"{stream}.>").click()
    assert violations(viewer.page) == []
    item(viewer, "All that is stored").click()
    expect(viewer.row("replayed 10, live from here")).to_have_count(1)
    assert violations(viewer.page) == []
