"""The panel from which a reader publishes and asks."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import nats
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running

SUBJECT = "#publish-subject"
PAYLOAD = "#publish-payload"
HEADERS = "#publish-headers"


@pytest.fixture(scope="module")
def writable(
    nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that lets a page publish all but `page.secret`."""
    log = tmp_path_factory.mktemp("writable") / "log"
    rights = {"allow_publish": ">", "deny_publish": "page.secret"}
    with running(Gateway(nats_server.url, log=log, **rights)) as service:
        yield service


@pytest.fixture(scope="module")
def summing(nats_server: NatsServer) -> Iterator[str]:
    """The subject of a service that adds up numbers; it makes many words where there are none."""
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        client = await nats.connect(nats_server.url)

        async def add(message: Any) -> None:
            terms = json.loads(message.data)
            answer = str(sum(terms)) if terms else "nothing " * 5000
            headers = {"X-Terms": "counted"}
            await client.publish(message.reply, answer.encode(), headers=headers)

        await client.subscribe("page.sum", cb=add)
        await client.flush()
        ready.set()
        await asyncio.to_thread(over.wait)
        await client.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    yield "page.sum"
    over.set()
    thread.join()


@pytest.fixture
def writer(page: Page, writable: Gateway) -> Viewer:
    return Viewer(page, writable.url).open()


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Publish")


def outcome(page: Page) -> Locator:
    return page.get_by_test_id("outcome")


def write(page: Page, subject: str, payload: str, headers: str = "") -> None:
    """Open the panel and fill it in."""
    if not panel(page).is_visible():
        page.get_by_role("button", name="Publish", exact=True).click()
    page.fill(SUBJECT, subject)
    page.fill(PAYLOAD, payload)
    page.fill(HEADERS, headers)


def press(page: Page, name: str) -> None:
    panel(page).get_by_role("button", name=name, exact=True).click()


def test_where_nothing_may_be_published_there_is_no_panel(viewer: Viewer) -> None:
    expect(viewer.page.locator("#empty")).to_be_visible()
    expect(viewer.button("Publish")).to_have_count(0)
    viewer.page.keyboard.press("Escape")
    viewer.page.keyboard.press("p")
    expect(viewer.page.get_by_test_id("publish")).to_be_hidden()


def test_a_newcomer_is_shown_where_to_publish(writer: Viewer) -> None:
    writer.button("Publish a message").click()
    expect(panel(writer.page)).to_be_visible()


def test_what_is_published_arrives_byte_for_byte(writer: Viewer, subject: str) -> None:
    writer.follow(f"{subject}.>")
    payload = '{"total": 1.50,\n "big": 9007199254740993}'
    write(writer.page, f"{subject}.new", payload, "X-Trace: 7")
    expect(writer.page.locator("#publish-kind")).to_have_text("JSON, 41 B")
    press(writer.page, "Publish")
    expect(outcome(writer.page)).to_contain_text("Sent: NATS has it after")
    expect(outcome(writer.page)).to_be_in_viewport()
    expect(writer.row("9007199254740993")).to_have_count(1)
    expect(panel(writer.page)).to_be_visible()
    writer.row("9007199254740993").click()
    expect(panel(writer.page)).to_be_hidden()
    writer.page.get_by_role("tab", name="Raw").click()
    expect(writer.page.get_by_test_id("payload")).to_have_text(payload)
    sent = [json.loads(frame) for frame in writer.sent if '"publish"' in frame]
    assert [request["headers"] for request in sent] == [[["X-Trace", "7"]]]


def test_a_service_answers(writer: Viewer, summing: str) -> None:
    write(writer.page, summing, "[1, 2.5]")
    press(writer.page, "Request")
    expect(outcome(writer.page)).to_contain_text("Answer after")
    expect(outcome(writer.page)).to_contain_text("3 B · JSON")
    expect(writer.page.get_by_test_id("answer")).to_have_text("X-Terms: counted\n\n3.5")
    expect(writer.page.get_by_test_id("answer")).to_be_in_viewport()
    press(writer.page, "Publish")
    expect(outcome(writer.page)).to_contain_text("Sent")
    expect(writer.page.get_by_test_id("answer")).to_be_hidden()


def test_of_a_long_answer_the_beginning_is_shown(writer: Viewer, summing: str) -> None:
    write(writer.page, summing, "[]")
    press(writer.page, "Request")
    expect(outcome(writer.page)).to_contain_text("40.0 kB · text")
    answer = writer.page.get_by_test_id("answer")
    expect(answer).to_contain_text("… the first 20,000 of 40,000 characters")


@pytest.mark.parametrize(
    ("subject", "headers", "action", "sentence"),
    [
        ("page.secret", "", "Publish", "page.secret"),
        ("page.*", "", "Publish", "page.*"),
        ("page.nobody", "", "Request", "Nobody answers requests on 'page.nobody'."),
        ("page.a", "Nats-Rollup: all", "Publish", "Nats-Rollup"),
        ("", "", "Publish", "Type a subject."),
        ("page.a", "X-A: 1\nX-B", "Publish", 'Line 2 of the headers is not "Name: value".'),
    ],
)
def test_a_refusal_is_said(
    writer: Viewer, subject: str, headers: str, action: str, sentence: str
) -> None:
    write(writer.page, subject, "1", headers)
    press(writer.page, action)
    expect(outcome(writer.page)).to_contain_text(sentence)
    expect(outcome(writer.page)).to_have_class("publish-outcome error")
    expect(panel(writer.page)).to_be_visible()


def test_what_cannot_be_sent_shows_its_field(writer: Viewer) -> None:
    write(writer.page, "", "1", "X-B")
    for field, text in ((SUBJECT, "page.a"), (HEADERS, "X-B: 2")):
        press(writer.page, "Publish")
        expect(writer.page.locator(field)).to_be_focused()
        expect(writer.page.locator(field)).to_have_attribute("aria-invalid", "true")
        writer.page.fill(field, text)
        expect(panel(writer.page).locator("[aria-invalid]")).to_have_count(0)
    press(writer.page, "Publish")
    expect(outcome(writer.page)).to_contain_text("Sent")


def test_text_that_begins_like_json_is_told_and_can_be_sent(writer: Viewer, subject: str) -> None:
    writer.follow(subject)
    kind = writer.page.locator("#publish-kind")
    write(writer.page, subject, '{"a": 1')
    expect(kind).to_contain_text("it begins like JSON, and is none")
    press(writer.page, "Publish")
    expect(writer.row('{"a": 1')).to_have_count(1)
    writer.page.fill(PAYLOAD, "")
    expect(kind).to_have_text("Empty")
    press(writer.page, "Publish")
    expect(writer.row("empty")).to_have_count(1)


def test_what_was_sent_is_there_at_the_next_visit_until_forgotten(
    writer: Viewer, subject: str
) -> None:
    page = writer.page
    for number in ("1", "2"):
        write(page, f"{subject}.{number}", f'"{number}"', "X-A: 1")
        press(page, "Publish")
        expect(page.get_by_label("Sent before")).to_contain_text(f"{subject}.{number}")
    page.reload()
    write(page, "draft", "unsent")
    before = page.get_by_label("Sent before")
    before.select_option(f'{subject}.1 "1"')
    expect(page.locator(SUBJECT)).to_have_value(f"{subject}.1")
    expect(page.locator(PAYLOAD)).to_have_value('"1"')
    expect(page.locator(HEADERS)).to_have_value("X-A: 1")
    before.select_option("Sent before: 2")
    expect(page.locator(SUBJECT)).to_have_value("draft")
    expect(page.locator(PAYLOAD)).to_have_value("unsent")
    press(page, "Forget")
    expect(before).to_be_hidden()
    assert page.evaluate("Object.keys(localStorage)") in ([], ["nats-live"])


def test_everything_is_done_by_keyboard(writer: Viewer, subject: str, summing: str) -> None:
    page = writer.page
    down, text = page.keyboard.press, page.keyboard.type
    writer.follow(f"{subject}.>")
    down("Escape")
    down("p")
    expect(page.locator(SUBJECT)).to_be_focused()
    text(f"{subject}.created")
    down("Enter")
    expect(page.locator(PAYLOAD)).to_be_focused()
    text('"first"')
    down("Control+Enter")
    expect(writer.row("first")).to_have_count(1)
    down("Escape")
    expect(panel(page)).to_be_hidden()
    down("p")
    expect(page.locator(PAYLOAD)).to_be_focused()
    expect(page.locator(PAYLOAD)).to_have_value('"first"')
    down("Shift+Tab")
    down("Control+a")
    text(f"{subject}.cr")
    expect(panel(page).get_by_role("listbox").get_by_role("option")).to_have_count(1)
    down("ArrowDown")
    down("Enter")
    expect(page.locator(SUBJECT)).to_have_value(f"{subject}.created")
    down("Control+a")
    text(f"{subject}.")
    expect(panel(page).get_by_role("listbox")).to_be_visible()
    down("Control+Enter")
    expect(panel(page).get_by_role("listbox")).to_be_hidden()
    expect(outcome(page)).to_contain_text(f"'{subject}.'")
    down("Control+a")
    text(summing)
    down("Tab")
    down("Control+a")
    text("[1, 2]")
    down("Control+Shift+Enter")
    expect(page.get_by_test_id("answer")).to_contain_text("3")


def test_on_a_phone_it_is_a_sheet_that_back_closes(writer: Viewer) -> None:
    page = writer.page
    page.set_viewport_size({"width": 360, "height": 640})
    write(page, "page.a", "1")
    box = panel(page).bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 640}
    for name in ("Publish", "Request", "Close"):
        button = panel(page).get_by_role("button", name=name, exact=True)
        expect(button).to_be_in_viewport(ratio=1)
        size = button.bounding_box()
        assert size
        assert size["height"] >= 44
    press(page, "Publish")
    expect(outcome(page)).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.go_back()
    expect(panel(page)).to_be_hidden()
    expect(page).to_have_url(f"{writer.url}/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(
    chromium: Browser, writable: Gateway, summing: str, scheme: Any, width: int
) -> None:
    size: Any = {"width": width, "height": 640}
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce", viewport=size)
    page = context.new_page()
    viewer = Viewer(page, writable.url).open()
    viewer.follow("page.>")
    assert violations(page) == []
    write(page, summing, "[1, 2")
    assert violations(page) == []
    page.fill(PAYLOAD, "[1, 2]")
    press(page, "Request")
    expect(page.get_by_test_id("answer")).to_be_visible()
    assert violations(page) == []
    page.fill(HEADERS, "X")
    press(page, "Publish")
    expect(outcome(page)).to_contain_text("Line 1")
    assert violations(page) == []
    page.fill(SUBJECT, "page")
    page.locator(SUBJECT).press_sequentially(".")
    expect(panel(page).get_by_role("listbox").get_by_role("option").first).to_be_visible()
    assert violations(page) == []
    context.close()


def test_nothing_of_it_is_logged(writable: Gateway, writer: Viewer) -> None:
    write(writer.page, "page.secret", "planted payload", "X-A: planted header")
    press(writer.page, "Publish")
    expect(outcome(writer.page)).to_have_class("publish-outcome error")
    write(writer.page, "page.a", "planted payload", "X-A: planted header")
    press(writer.page, "Publish")
    expect(outcome(writer.page)).to_contain_text("Sent")
    assert "planted" not in writable.output()
