"""What comes beside a payload: reply subject and headers, in rows, detail, filter and export."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.support.detail import item, watch_clipboard
from tests.page.support.viewer import Viewer
from tests.support.raw_nats import RawNats

HEADERS = (
    b"NATS/1.0\r\nNats-Msg-Id: a1\r\nX-Tag: one\r\nx-tag:\r\nX-Tag: one\r\nX-Key: \xff\r\n\r\n"
)
SHOWN = ["Nats-Msg-Id: a1", "X-Tag: one", "x-tag:", "X-Tag: one", "X-Key: /w== base64"]
PAIRS: list[Any] = [
    ["Nats-Msg-Id", "a1"],
    ["X-Tag", "one"],
    ["x-tag", ""],
    ["X-Tag", "one"],
    ["X-Key", "/w==", "base64"],
]


@pytest.fixture
def asked(viewer: Viewer, raw_nats: RawNats, subject: str) -> Viewer:
    """A page with a request that has headers, and an event that has none."""
    viewer.follow(f"{subject}.*")
    raw_nats.publish(f"{subject}.price", b'"of what"', "_INBOX.x.y", HEADERS)
    raw_nats.publish(f"{subject}.event", b'"over"')
    viewer.expect_figure("received", "2")
    return viewer


def headers(viewer: Viewer) -> Locator:
    return viewer.detail.locator(".detail-header-list .detail-header")


def press(viewer: Viewer, element: Locator, name: str) -> None:
    element.click()
    item(viewer, name).click()


def test_the_detail_shows_reply_subject_and_headers_in_their_order(asked: Viewer) -> None:
    asked.row("of what").click()
    expect(headers(asked).filter(visible=True)).to_have_text(SHOWN)
    expect(asked.detail.get_by_text("Headers (5)")).to_be_visible()
    expect(asked.detail.get_by_text("Reply to _INBOX.x.y")).to_be_visible()
    asked.row("over").click()
    expect(asked.detail.get_by_text("Headers", exact=False)).to_be_hidden()
    expect(asked.detail.get_by_text("Reply to")).to_be_hidden()


def test_only_of_a_request_it_is_said_that_it_is_one(asked: Viewer) -> None:
    for view, rows in (("Log", "row"), ("Latest", "latest-row")):
        asked.button(view).click()
        expect(asked.page.get_by_test_id(rows).filter(visible=True)).to_have_count(2)
        heard = [
            each.aria_snapshot()
            for each in asked.page.get_by_test_id(rows).filter(visible=True).all()
        ]
        assert ["request" in each for each in heard] == ["of what" in each for each in heard], heard


def test_each_of_them_can_be_copied(asked: Viewer) -> None:
    copied = watch_clipboard(asked)
    asked.row("of what").click()
    for place, name, text in (
        (0, "Copy value", "a1"),
        (1, "Copy name: value", "X-Tag: one"),
        (4, "Copy base64", "/w=="),
    ):
        press(asked, headers(asked).nth(place), name)
        expect(asked.button("Copied")).to_be_visible()
        assert copied() == text
    press(asked, asked.detail.locator(".reply"), "Copy reply subject")
    asked.page.wait_for_function("globalThis.copied === '_INBOX.x.y'")


def test_headers_stay_folded_as_the_reader_left_them(
    asked: Viewer, raw_nats: RawNats, subject: str
) -> None:
    asked.row("of what").click()
    asked.detail.get_by_text("Headers (5)").click()
    expect(headers(asked).first).to_be_hidden()
    raw_nats.publish(f"{subject}.price", b'"again"', headers=HEADERS)
    asked.button("Resume").click()
    asked.button("Newer").click()
    expect(asked.page.get_by_test_id("payload")).to_contain_text("again")
    expect(asked.detail.get_by_text("Headers (5)")).to_be_visible()
    expect(headers(asked).first).to_be_hidden()


def test_a_request_has_a_mark_in_log_and_in_latest(asked: Viewer) -> None:
    for name in ("Log", "Latest"):
        asked.page.get_by_role("button", name=name, exact=True).click()
        mark = asked.page.get_by_text("request", exact=True).filter(visible=True)
        expect(mark).to_have_count(1)
        expect(mark).to_have_attribute("title", "A request: whoever sent it waits for an answer")


def test_a_header_leads_to_a_filter(asked: Viewer) -> None:
    asked.row("of what").click()
    press(asked, headers(asked).nth(0), "Filter to this header")
    expect(asked.page.get_by_test_id("filter")).to_have_value("header:Nats-Msg-Id=a1")
    expect(asked.page.get_by_test_id("shown")).to_have_text("1 of 2")
    press(asked, asked.detail.locator(".reply"), "Exclude requests")
    expect(asked.page.get_by_test_id("shown")).to_have_text("0 of 2")


def test_an_export_has_them_as_on_the_wire(asked: Viewer, page: Page) -> None:
    texts = []
    for choice in ("All kept as NDJSON", "All kept as CSV"):
        page.get_by_role("button", name="Export", exact=True).click()
        with page.expect_download() as held:
            asked.button(choice).click()
        texts.append(Path(held.value.path()).read_text("utf-8-sig"))
    wired = next(json.loads(line) for line in asked.received if "_INBOX.x.y" in line)
    told = [json.loads(line) for line in texts[0].splitlines()]
    assert told[0] == wired
    assert wired["headers"] == PAIRS
    assert not {"reply", "headers"} & told[1].keys()
    rows = list(csv.DictReader(io.StringIO(texts[1])))
    assert rows[0]["reply"] == "_INBOX.x.y"
    assert json.loads(rows[0]["headers"]) == PAIRS
    assert (rows[1]["reply"], rows[1]["headers"]) == ("", "")


def test_many_and_long_headers_leave_the_page_its_room(
    viewer: Viewer, raw_nats: RawNats, subject: str
) -> None:
    many = b"".join(b"X-%d: %b\r\n" % (number, b"y" * 2000) for number in range(120))
    viewer.follow(subject)
    raw_nats.publish(subject, b'"many"', headers=b"NATS/1.0\r\n" + many + b"\r\n")
    viewer.row("many").click()
    expect(headers(viewer)).to_have_count(100)
    expect(viewer.detail.get_by_text("20 more are in an export")).to_be_attached()
    assert len(headers(viewer).first.inner_text()) < 1100
    for part in (viewer.page.get_by_test_id("payload"), viewer.button("Older")):
        expect(part).to_be_in_viewport(ratio=1)
