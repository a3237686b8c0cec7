"""What is published from an open message: the same again, or an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.browser.test_page_publish import (
    HEADERS,
    PAYLOAD,
    SUBJECT,
    outcome,
    panel,
    press,
    write,
)
from tests.page.browser.test_page_publish import writable as writable
from tests.page.browser.test_page_publish import writer as writer
from tests.page.support.detail import item, show
from tests.page.support.viewer import Viewer
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]
Scheme = Literal["light", "dark"]
ORDER = b'{"total": 1.50,\n "big": 9007199254740993}'
HEAD = b"NATS/1.0\r\nX-Trace: 7\r\nX-Trace: 8\r\nNats-Msg-Id: a1\r\n\r\n"


def choose(viewer: Viewer, name: str) -> None:
    viewer.page.locator(".detail-subject").click()
    item(viewer, name).click()


def open_last(viewer: Viewer, subject: str) -> None:
    viewer.row(subject).last.click()
    expect(viewer.detail).to_be_visible()


def test_a_message_is_published_again_byte_for_byte(
    writer: Viewer, raw_nats: RawNats, subject: str
) -> None:
    page = writer.page
    page.set_viewport_size({"width": 1366, "height": 625})
    writer.follow(subject)
    raw_nats.publish(subject, ORDER, headers=HEAD)
    open_last(writer, subject)
    choose(writer, "Publish again…")
    expect(writer.detail).to_be_hidden()
    expect(panel(page)).to_be_visible()
    expect(page.locator(PAYLOAD)).to_be_focused()
    expect(page.locator(SUBJECT)).to_have_value(subject)
    expect(page.locator(PAYLOAD)).to_have_value(ORDER.decode())
    expect(page.locator(HEADERS)).to_have_value("X-Trace: 7\nX-Trace: 8")
    expect(outcome(page)).to_have_text("Left out: Nats-Msg-Id.")
    expect(outcome(page)).to_be_in_viewport(ratio=1)
    expect(outcome(page)).to_have_class("publish-outcome")
    press(page, "Publish")
    expect(outcome(page)).to_contain_text("Sent")
    writer.expect_figure("received", "2")
    page.keyboard.press("Escape")
    expect(panel(page)).to_be_hidden()
    expect(page.locator("#messages")).to_be_focused()
    writer.button("Resume").click()
    open_last(writer, subject)
    page.get_by_role("tab", name="Raw").click()
    expect(page.get_by_test_id("payload")).to_have_text(ORDER.decode())


def test_bytes_are_published_again_as_bytes_and_remembered_so(
    writer: Viewer, publish: Publish, subject: str
) -> None:
    page = writer.page
    show(writer, publish, subject, b"\x00\xff\x01")
    choose(writer, "Publish again…")
    expect(page.locator(PAYLOAD)).to_have_value("AP8B")
    expect(page.locator("#publish-kind")).to_have_text("Binary, 3 B")
    expect(page.get_by_label("Typed as base64")).to_be_checked()
    press(page, "Publish")
    writer.expect_figure("received", "2")
    writer.button("Resume").click()
    expect(writer.row("binary")).to_have_count(2)
    page.fill(PAYLOAD, "AP8")
    expect(page.locator("#publish-kind")).to_have_text("Binary, 2 B")
    page.fill(PAYLOAD, "%")
    expect(page.locator("#publish-kind")).to_have_text("This is no base64")
    page.get_by_label("Typed as base64").uncheck()
    expect(page.locator("#publish-kind")).to_have_text("Text, 1 B")
    page.get_by_label("Sent before").select_option(f"{subject} AP8B")
    expect(page.get_by_label("Typed as base64")).to_be_checked()


@pytest.mark.parametrize("from_reply", [True, False])
def test_a_request_is_answered(
    writer: Viewer, raw_nats: RawNats, subject: str, from_reply: bool
) -> None:
    page = writer.page
    writer.follow(f"{subject}.>")
    write(page, "draft", "unsent")
    page.keyboard.press("Escape")
    raw_nats.publish(f"{subject}.ask", b"1", reply=f"{subject}.inbox")
    open_last(writer, f"{subject}.ask")
    if from_reply:
        page.locator(".reply").click()
        item(writer, "Reply…").click()
    else:
        choose(writer, "Reply…")
    expect(page.locator(SUBJECT)).to_have_value(f"{subject}.inbox")
    expect(page.locator(PAYLOAD)).to_be_focused()
    page.keyboard.type("answered")
    page.keyboard.press("Control+Enter")
    writer.expect_figure("received", "2")
    writer.button("Resume").click()
    expect(writer.row("answered")).to_have_count(1)


def test_what_was_typed_comes_back(writer: Viewer, publish: Publish, subject: str) -> None:
    page = writer.page
    write(page, "draft", "unsent")
    page.keyboard.press("Escape")
    show(writer, publish, subject, b"1")
    choose(writer, "Publish again…")
    page.get_by_label("Sent before").select_option(index=0)
    expect(page.locator(SUBJECT)).to_have_value("draft")
    expect(page.locator(PAYLOAD)).to_have_value("unsent")


def test_where_nothing_may_be_published_neither_is_offered(
    viewer: Viewer, raw_nats: RawNats, subject: str
) -> None:
    viewer.follow(subject)
    raw_nats.publish(subject, b"1", reply="page.inbox")
    open_last(viewer, subject)
    viewer.page.locator(".detail-subject").click()
    expect(item(viewer, "Copy subject")).to_be_visible()
    for name in ("Publish again…", "Reply…"):
        expect(item(viewer, name)).to_have_count(0)
    viewer.page.keyboard.press("Escape")
    viewer.page.locator(".reply").click()
    expect(item(viewer, "Copy reply subject")).to_be_visible()
    expect(item(viewer, "Reply…")).to_have_count(0)


def test_on_a_phone_the_sheet_takes_the_place_of_the_message(
    writer: Viewer, publish: Publish, subject: str
) -> None:
    page = writer.page
    page.set_viewport_size({"width": 360, "height": 640})
    show(writer, publish, subject, b"1")
    choose(writer, "Publish again…")
    expect(panel(page)).to_be_visible()
    expect(writer.detail).to_be_hidden()
    expect(page.locator(PAYLOAD)).to_have_value("1")
    press(page, "Publish")
    expect(outcome(page)).to_contain_text("Sent")
    page.go_back()
    expect(panel(page)).to_be_hidden()
    expect(writer.chip(subject)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(
    chromium: Browser,
    writable: Gateway,
    raw_nats: RawNats,
    subject: str,
    scheme: Scheme,
    width: int,
) -> None:
    size: Any = {"width": width, "height": 740}
    context = chromium.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    page: Page = context.new_page()
    viewer = Viewer(page, writable.url).open()
    viewer.follow(subject)
    raw_nats.publish(subject, b"\x00\xff", reply="page.inbox", headers=HEAD)
    open_last(viewer, subject)
    page.locator(".detail-subject").click()
    expect(item(viewer, "Reply…")).to_be_visible()
    assert violations(page) == []
    item(viewer, "Publish again…").click()
    expect(panel(page)).to_be_visible()
    assert violations(page) == []
    context.close()
