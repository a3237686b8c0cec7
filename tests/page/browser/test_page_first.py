"""The page in a real browser, against the real service and a real NATS server."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.page.support.viewer import Viewer
from tests.support.servers import until

Publish = Callable[[str, bytes], None]

RECONNECTED = 30_000  # ms: the back-off waits up to 15 s between two tries


def test_typed_subject_shows_its_messages(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.enter(subject)
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    expect(viewer.field).to_have_value("")
    viewer.expect_state("waiting")
    publish(subject, b'{"hello":"world"}')
    row = viewer.row(subject)
    expect(row).to_have_count(1)
    expect(row).to_contain_text('{"hello":"world"}')
    expect(row).to_contain_text("17 B")
    viewer.expect_state("live")
    viewer.expect_figure("received", "1")
    viewer.expect_figure("kept", "1")
    expect(viewer.chip(subject)).to_contain_text("1")


def test_pattern_shows_what_falls_under_it(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.one.deeper", b'"outside"')
    publish(f"{subject}.one", b'"inside"')
    expect(viewer.row("inside")).to_have_count(1)
    viewer.expect_figure("received", "1")


def test_raw_json_subscribes_and_unsubscribes(viewer: Viewer, subject: str) -> None:
    viewer.enter(json.dumps({"subjects": [subject], "action": "subscribe"}))
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    viewer.enter(json.dumps({"subjects": [subject], "action": "unsubscribe"}))
    expect(viewer.chip(subject)).to_have_count(0)
    viewer.expect_state("idle")
    actions = [request["action"] for request in viewer.requests(2)]
    assert actions == ["subscribe", "unsubscribe"]


def test_unsubscribe_typed_ends_the_feed(viewer: Viewer, publish: Publish, subject: str) -> None:
    other = f"{subject}.other"
    viewer.follow(subject, other)
    viewer.enter(f"unsubscribe {subject}")
    expect(viewer.chip(subject)).to_have_count(0)
    viewer.follow(f"{subject}.fence")  # acknowledged after the gateway has unsubscribed
    publish(subject, b'"not for us"')
    publish(other, b'"for us"')
    expect(viewer.row('"for us"')).to_have_count(1)
    viewer.expect_figure("received", "1")


def test_unsubscribe_of_what_is_not_followed_is_explained(viewer: Viewer, subject: str) -> None:
    viewer.follow(subject)
    viewer.enter(f"unsubscribe {subject} nowhere")
    expect(viewer.error).to_have_text("Not subscribed to nowhere.")
    expect(viewer.chip(subject)).to_have_count(0)


def test_chip_button_unsubscribes_and_old_rows_stay(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b'"still here"')
    expect(viewer.row("still here")).to_have_count(1)
    viewer.button(f"Unsubscribe {subject}").click()
    expect(viewer.chip(subject)).to_have_count(0)
    expect(viewer.row("still here")).to_have_count(1)
    expect(viewer.field).to_be_focused()
    request = viewer.requests(2)[-1]
    assert (request["action"], request["subjects"]) == ("unsubscribe", [subject])


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("orders*", "must stand alone"),
        ("a..b", "empty part"),
        ("orders.>.x", "can only come last"),
        ("sensors/+/temp", "sensors.*.temp"),
        ("unsubscribe", "Add a subject: unsubscribe orders.*"),
        ("nats pub test.subject hi", "belongs into a terminal"),
        ('{"subjects": [', "Not valid JSON"),
        ('{"subjects": ["a"], "action": "x"}', '"action" is "x"'),
    ],
)
def test_mistake_is_explained_and_nothing_sent(
    viewer: Viewer, subject: str, typed: str, sentence: str
) -> None:
    viewer.enter(typed)
    expect(viewer.error).to_contain_text(sentence)
    expect(viewer.field).to_have_attribute("aria-invalid", "true")
    expect(viewer.field).to_have_value(typed)
    viewer.follow(subject)
    expect(viewer.error).to_be_hidden()
    expect(viewer.field).not_to_have_attribute("aria-invalid", "true")
    assert [request["subjects"] for request in viewer.requests(1)] == [[subject]]


def test_field_has_the_focus_where_there_is_a_mouse(viewer: Viewer) -> None:
    assert viewer.page.evaluate("matchMedia('(hover: hover)').matches")
    expect(viewer.field).to_be_focused()


def test_field_leaves_the_keyboard_of_a_phone_down(chromium: Browser, gateway: Any) -> None:
    context = chromium.new_context(has_touch=True, is_mobile=True)
    viewer = Viewer(context.new_page(), gateway.url).open()
    expect(viewer.field).not_to_be_focused()
    context.close()


def test_without_javascript_the_page_says_so(chromium: Browser, gateway: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(gateway.url)
    # get_by_text passes over whatever is in a <noscript>
    expect(page.locator("noscript p")).to_be_visible()
    expect(page.locator("noscript p")).to_contain_text("needs JavaScript")
    expect(page.get_by_text("Connecting")).to_be_hidden()
    expect(page.locator("#empty")).to_be_hidden()
    context.close()


def test_arrow_up_brings_back_earlier_entries(viewer: Viewer, subject: str) -> None:
    viewer.follow(f"{subject}.a")
    viewer.follow(f"{subject}.b")
    viewer.field.press("ArrowUp")
    viewer.field.press("ArrowUp")
    expect(viewer.field).to_have_value(f"{subject}.a")
    viewer.field.press("ArrowDown")
    expect(viewer.field).to_have_value(f"{subject}.b")


def test_markup_in_a_payload_is_shown_literally(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    dialogs: list[Dialog] = []  # left open: a dialog also stops the page, and with it the test
    viewer.page.on("dialog", lambda dialog: dialogs.append(dialog))
    markup = "<img src=x onerror=alert(1)>"
    viewer.follow(subject)
    publish(subject, markup.encode())
    publish(subject, json.dumps({"html": markup}).encode())
    expect(viewer.row(markup)).to_have_count(2)
    viewer.row('{"html"').click()
    expect(viewer.detail).to_contain_text(markup)
    expect(viewer.page.locator("img[src=x]")).to_have_count(0)
    assert dialogs == []


def test_numbers_stay_exact(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    publish(subject, b'{"id":9007199254740993,"x":1.0}')
    row = viewer.row('{"id":9007199254740993,"x":1.0}')
    expect(row).to_have_count(1)
    row.click()
    expect(viewer.detail).to_contain_text('"id": 9007199254740993,')
    expect(viewer.detail).to_contain_text('"x": 1.0')
    viewer.expect_state("paused")


def test_payloads_that_are_not_json_are_shown(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.text", b"first line\nsecond line")
    publish(f"{subject}.binary", b"\xff\xfe\x00")
    publish(f"{subject}.empty", b"")
    expect(viewer.row(f"{subject}.text")).to_contain_text("first line↵second line")
    expect(viewer.row(f"{subject}.binary")).to_contain_text("binary")
    expect(viewer.row(f"{subject}.binary")).to_contain_text("3 B")
    expect(viewer.row(f"{subject}.empty")).to_contain_text("0 B")


def test_json_with_line_breaks_is_one_message(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b'{\n  "a": 1,\n  "b": [\n    {"subject": "x"}\n  ]\n}')
    publish(subject, b'"after"')
    expect(viewer.row("after")).to_have_count(1)
    viewer.expect_figure("received", "2")
    expect(viewer.error).to_be_hidden()


def test_list_is_bounded(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.prefer("Messages kept", "1,000, or 64 MB")
    viewer.follow(subject)
    for number in range(1_200):
        publish(subject, json.dumps({"number": number}).encode())
    viewer.expect_figure("received", "1,200")
    viewer.expect_figure("kept", "1,000")
    viewer.expect_figure("notkept", "200")
    expect(viewer.row('{"number": 1199}')).to_be_in_viewport()
    assert viewer.page.get_by_test_id("row").count() <= 120


def test_paused_list_stands_still_and_comes_back(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    viewer.button("Pause").click()
    viewer.expect_state("paused")
    for number in range(5):
        publish(subject, f'"during {number}"'.encode())
    expect(viewer.button("Resume (5 new)")).to_be_visible()
    expect(viewer.row("during")).to_have_count(0)
    viewer.button("Resume").click()
    expect(viewer.row("during")).to_have_count(5)
    viewer.expect_state("live")


def test_what_left_unseen_while_paused_is_told(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.prefer("Messages kept", "1,000, or 64 MB")
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    viewer.button("Pause").click()
    viewer.expect_state("paused")
    for number in range(1_200):
        publish(subject, str(number).encode())
    viewer.button("Resume (1,200 new)").click()
    viewer.page.locator("#messages").press("Home")
    rows = viewer.page.get_by_test_id("row").filter(visible=True)
    expect(rows.nth(0)).to_have_text("201 messages before this were not kept")
    expect(rows.nth(1)).to_contain_text("200")
    expect(rows.nth(0)).to_be_in_viewport()
    viewer.expect_figure("kept", "1,000")
    expect(viewer.page.get_by_title("at most 1,000, and 64 MB of text")).to_contain_text("kept")
    expect(viewer.page.get_by_title("made room for newer ones")).to_contain_text("not kept")


def test_last_chip_removed_while_paused_leaves_the_list_and_a_way_out(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    viewer.button("Pause").click()
    publish(subject, b'"during"')
    expect(viewer.button("Resume (1 new)")).to_be_visible()
    viewer.button(f"Unsubscribe {subject}").click()
    viewer.expect_state("idle")
    expect(viewer.page.get_by_test_id("status")).to_contain_text("Connected")
    expect(viewer.row("before")).to_have_count(1)
    expect(viewer.row("during")).to_have_count(0)
    viewer.button("Resume").click()
    expect(viewer.row("during")).to_have_count(1)
    expect(viewer.button("Pause")).to_be_visible()


def test_pause_ends_when_nothing_is_left_to_stand_still(viewer: Viewer, subject: str) -> None:
    viewer.follow(subject)
    viewer.button("Pause").click()
    viewer.expect_state("paused")
    viewer.button(f"Unsubscribe {subject}").click()
    expect(viewer.page.get_by_text("Watch NATS subjects, live")).to_be_visible()
    viewer.enter(subject)
    viewer.expect_state("waiting")


def test_scrolling_up_pauses_and_scrolling_down_goes_on(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    for number in range(100):
        publish(subject, f'"number {number}"'.encode())
    expect(viewer.row("number 99")).to_be_in_viewport()
    viewer.page.get_by_role("grid", name="Messages").hover()
    viewer.page.mouse.wheel(0, -400)
    viewer.expect_state("paused")
    expect(viewer.row("number 99")).not_to_be_in_viewport()
    viewer.page.mouse.wheel(0, 4_000)
    viewer.expect_state("live")
    expect(viewer.row("number 99")).to_be_in_viewport()


def test_keyboard_moves_opens_and_closes(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    for number in range(3):
        publish(subject, json.dumps({"number": number}).encode())
    expect(viewer.row('{"number"')).to_have_count(3)
    grid = viewer.page.get_by_role("grid", name="Messages")
    grid.focus()
    grid.press("ArrowUp")
    grid.press("ArrowUp")
    expect(viewer.row('{"number": 1}')).to_have_attribute("aria-selected", "true")
    expect(viewer.detail).to_contain_text('"number": 1')
    grid.press("Escape")
    expect(viewer.detail).to_be_hidden()
    grid.press("End")
    viewer.expect_state("live")


def test_page_survives_a_restart_of_the_gateway(
    viewer: Viewer, gateway: Any, publish: Publish, subject: str
) -> None:
    viewer.page.allow_errors = True  # type: ignore[attr-defined]  # tries that fail are logged
    viewer.follow(subject, f"{subject}.*")
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    gateway.stop()
    viewer.expect_state("reconnecting")
    expect(viewer.page.get_by_test_id("status")).to_contain_text("Reconnecting")
    expect(viewer.chip(subject)).to_have_attribute("data-state", "pending")
    gateway.start()
    viewer.expect_state("live", timeout=RECONNECTED)
    for pattern in (subject, f"{subject}.*"):
        expect(viewer.chip(pattern)).to_have_attribute("data-state", "active")
    publish(subject, b'"after"')
    expect(viewer.row("after")).to_have_count(1)
    expect(viewer.row("before")).to_have_count(1)
    gap = viewer.row("messages in between were not received")
    expect(gap).to_have_count(1)
    # A page may be back before NATS is, on a busy machine; it then says that, too.
    what = r"disconnected(, then NATS was out of reach)?"
    expect(gap).to_contain_text(re.compile(what + r" \d\d:\d\d:\d\d – \d\d:\d\d:\d\d"))


def test_one_page_leaving_does_not_end_the_feed_of_another(
    viewer: Viewer, gateway: Any, publish: Publish, subject: str
) -> None:
    other = Viewer(viewer.page.context.new_page(), gateway.url).open()
    viewer.follow(subject)
    other.follow(subject)
    viewer.enter(f"unsubscribe {subject}")
    viewer.follow(f"{subject}.fence")  # acknowledged after the gateway has unsubscribed
    publish(subject, b'"for the other"')
    expect(other.row("for the other")).to_have_count(1)
    viewer.expect_figure("received", "0")


def test_phone_never_scrolls_sideways(viewer: Viewer, publish: Publish, subject: str) -> None:
    def overflow() -> int:
        return int(viewer.page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    viewer.page.set_viewport_size({"width": 360, "height": 640})
    assert overflow() == 0
    viewer.follow(subject, f"{subject}.*", f"{subject}.a.very.long.one.that.goes.on.and.on")
    publish(subject, json.dumps({"long": "word" * 500}).encode())
    row = viewer.row(subject)
    expect(row).to_be_in_viewport()
    assert overflow() == 0
    row.click()
    expect(viewer.detail).to_be_in_viewport(ratio=0.99)
    assert overflow() == 0
    viewer.page.keyboard.press("Escape")
    expect(viewer.detail).to_be_hidden()


def test_phone_targets_are_large_enough_for_a_thumb(viewer: Viewer, subject: str) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.follow(subject)
    small = viewer.page.get_by_role("button").evaluate_all(
        """buttons => buttons.map(button => button.getBoundingClientRect())
            .filter(({ width, height }) => width < 44 || height < 44).length"""
    )
    assert viewer.page.get_by_role("button").count() >= 3
    assert small == 0


def test_back_closes_the_detail_on_a_phone(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.follow(f"{subject}.a")
    viewer.follow(f"{subject}.b")
    publish(f"{subject}.a", b'"look"')
    viewer.row("look").click()
    expect(viewer.detail).to_be_visible()
    viewer.page.go_back()
    expect(viewer.detail).to_be_hidden()
    expect(viewer.page.get_by_test_id("chip")).to_have_count(2)
    viewer.row("look").click()
    expect(viewer.detail).to_be_visible()
    viewer.button("Close").click()
    expect(viewer.detail).to_be_hidden()
    until(lambda: viewer.page.evaluate("history.state") is None)
    viewer.page.go_back()
    expect(viewer.chip(f"{subject}.b")).to_have_count(0)
    expect(viewer.chip(f"{subject}.a")).to_have_count(1)


def test_refused_subject_is_not_in_the_link(viewer: Viewer, subject: str) -> None:
    viewer.enter(f"$SYS.> {subject}")
    expect(viewer.chip("$SYS.>")).to_have_attribute("data-state", "refused")
    expect(viewer.page).to_have_url(re.compile(rf"/#s={subject}$"))
    viewer.enter(f"unsubscribe {subject}")
    expect(viewer.page).to_have_url(f"{viewer.url}/")


def test_highlight_of_a_chip_lies_inside_it(viewer: Viewer, subject: str) -> None:
    viewer.follow(subject)
    viewer.enter(subject)
    expect(viewer.chip(subject)).to_have_css("box-shadow", re.compile("inset"))


def test_link_opens_its_subjects_and_reload_keeps_them(
    page: Page, gateway: Any, publish: Publish, subject: str
) -> None:
    viewer = Viewer(page, gateway.url).open(f"#s={subject}.*,{subject}.deep.>")
    for pattern in (f"{subject}.*", f"{subject}.deep.>"):
        expect(viewer.chip(pattern)).to_have_attribute("data-state", "active")
    viewer.follow(f"{subject}.added.here")
    page.reload()
    expect(page.get_by_test_id("chip")).to_have_count(3)
    expect(viewer.chip(f"{subject}.added.here")).to_have_attribute("data-state", "active")
    publish(f"{subject}.deep.down", b'"seen"')
    expect(viewer.row("seen")).to_have_count(1)


def test_back_undoes_the_last_change_of_subjects(viewer: Viewer, subject: str) -> None:
    viewer.follow(f"{subject}.a")
    viewer.follow(f"{subject}.b")
    viewer.page.go_back()
    expect(viewer.chip(f"{subject}.b")).to_have_count(0)
    expect(viewer.chip(f"{subject}.a")).to_have_count(1)


def test_refused_subject_shows_the_sentence_of_the_gateway(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.enter(f"$SYS.> {subject}")
    chip = viewer.chip("$SYS.>")
    expect(chip).to_have_attribute("data-state", "refused")
    lines = [json.loads(line) for line in viewer.received]
    [refusal] = [line for line in lines if line.get("success") is False]
    assert refusal["message"]
    expect(chip).to_contain_text(refusal["message"])
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    expect(viewer.page.get_by_test_id("row").filter(visible=True)).to_have_count(0)


def test_example_of_the_empty_page_subscribes(viewer: Viewer) -> None:
    viewer.page.get_by_role("button", name="test.subject", exact=True).click()
    expect(viewer.chip("test.subject")).to_have_attribute("data-state", "active")
    expect(viewer.page.get_by_text("Watch NATS subjects, live")).to_be_hidden()
