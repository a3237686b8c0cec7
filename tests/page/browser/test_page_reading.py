"""Reading: pause, clear, undo, preferences, and a page in the background."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.page.support.flood import Flood
from tests.page.support.tasks import longest_task
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer

Publish = Callable[[str, bytes], None]


def texts(viewer: Viewer) -> list[str]:
    return viewer.page.get_by_test_id("row").filter(visible=True).all_inner_texts()


def test_pause_never_moves_and_loses_nothing(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    for number in range(60):
        publish(subject, f'"before {number}"'.encode())
    expect(viewer.row("before 59")).to_be_in_viewport()
    viewer.button("Pause").click()
    rows = texts(viewer)
    for number in range(500):
        publish(subject, f'"during {number}"'.encode())
    expect(viewer.button("Resume (500 new)")).to_be_visible()
    assert texts(viewer) == rows
    viewer.button("Resume (500 new)").click()
    expect(viewer.row("during 499")).to_be_in_viewport()
    viewer.page.get_by_role("grid", name="Messages").focus()
    viewer.page.keyboard.press("Home")
    expect(viewer.row("before 0")).to_be_in_viewport()
    grid = viewer.page.get_by_role("grid", name="Messages")
    expect(grid).to_have_attribute("aria-rowcount", "561")


def test_removed_chip_comes_back_with_undo(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    publish(subject, b'"old"')
    expect(viewer.row("old")).to_have_count(1)
    viewer.button(f"Unsubscribe {subject}").click()
    expect(viewer.chip(subject)).to_have_count(0)
    expect(viewer.row("old")).to_have_count(1)
    assert viewer.requests(2)[-1]["action"] == "unsubscribe"
    viewer.button("Undo").click()
    expect(viewer.chip(subject)).to_have_attribute("data-state", "active")
    expect(viewer.page.get_by_test_id("toast")).to_be_hidden()


def test_all_chips_go_and_come_back_at_once(viewer: Viewer, subject: str) -> None:
    patterns = [f"{subject}.{name}" for name in "abc"]
    viewer.follow(*patterns)
    viewer.button("Remove all").click()
    expect(viewer.page.get_by_test_id("chip")).to_have_count(0)
    viewer.button("Undo").click()
    expect(viewer.page.get_by_test_id("chip")).to_have_count(3)
    for pattern in patterns:
        expect(viewer.chip(pattern)).to_have_attribute("data-state", "active")


def test_clear_empties_the_list_and_undo_brings_it_back(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    for number in range(3):
        publish(subject, f'"old {number}"'.encode())
    expect(viewer.row("old")).to_have_count(3)
    viewer.button("Clear").click()
    expect(viewer.row("old")).to_have_count(0)
    viewer.expect_figure("kept", "0")
    expect(viewer.chip(subject)).to_have_count(1)
    expect(viewer.page.get_by_test_id("toast")).to_contain_text("Cleared 3 messages.")
    publish(subject, b'"new"')
    expect(viewer.row("new")).to_have_count(1)
    viewer.button("Undo").click()
    expect(viewer.row("old")).to_have_count(3)
    assert [text.split("\n")[2] for text in texts(viewer)] == [
        '"old 0"',
        '"old 1"',
        '"old 2"',
        '"new"',
    ]
    viewer.expect_figure("kept", "4")


def test_clear_while_paused_loses_nothing_and_says_so(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    viewer.button("Pause").click()
    publish(subject, b'"during"')
    expect(viewer.button("Resume (1 new)")).to_be_visible()
    viewer.button("Clear").click()
    expect(viewer.page.get_by_role("grid", name="Messages")).to_be_focused()
    viewer.button("Undo").click()
    expect(viewer.row("during")).to_have_count(1)
    assert [text.split("\n")[2] for text in texts(viewer)] == ['"before"', '"during"']
    expect(viewer.page.get_by_role("grid", name="Messages")).to_be_focused()


def test_what_the_gateway_dropped_is_counted_and_told_where_it_happened(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()

        def to_page(frame: str | bytes) -> None:
            socket.send(frame)
            if b"before" in (frame if isinstance(frame, bytes) else frame.encode()):
                socket.send('{"dropped":7}')

        server.on_message(to_page)

    viewer.page.route_web_socket("**/stream*", pass_on)
    viewer.page.reload()
    viewer.expect_state("idle")
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("7 messages were dropped by the gateway")).to_have_count(1)
    viewer.expect_figure("dropped", "7")
    publish(subject, b'"after"')
    expect(viewer.row("after")).to_have_count(1)
    assert [text.split()[0] for text in texts(viewer)][1] == "7"


def test_newest_first_is_remembered(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.prefer("Newest message", "at the top")
    viewer.page.reload()
    viewer.expect_state("idle")
    viewer.follow(subject)
    for number in range(100):
        publish(subject, f'"number {number}"'.encode())
    expect(viewer.row("number 99")).to_be_in_viewport()
    assert '"number 99"' in texts(viewer)[0]
    viewer.page.get_by_role("grid", name="Messages").hover()
    viewer.page.mouse.wheel(0, 400)
    viewer.expect_state("paused")
    rows = texts(viewer)
    publish(subject, b'"later"')
    expect(viewer.button("Resume (1 new)")).to_be_visible()
    assert texts(viewer) == rows
    viewer.page.mouse.wheel(0, -4_000)
    viewer.expect_state("live")
    expect(viewer.row("later")).to_be_in_viewport()


def test_theme_and_times_follow_the_reader(viewer: Viewer, publish: Publish, subject: str) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    viewer.prefer("Theme", "dark")
    assert viewer.page.evaluate(background) == "rgb(15, 20, 24)"
    viewer.prefer("Theme", "light")
    assert viewer.page.evaluate(background) == "rgb(255, 255, 255)"
    viewer.follow(subject)
    publish(subject, b"1")
    expect(viewer.row(subject)).to_have_count(1)
    time = viewer.page.evaluate("new Date(Date.now()).toISOString().slice(11, 13)")
    viewer.prefer("Times", "UTC")
    expect(viewer.row(subject)).to_contain_text(f"{time}:")


def test_without_storage_the_page_works(chromium: Browser, gateway: Gateway) -> None:
    context = chromium.new_context()
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })"
    )
    viewer = Viewer(page, gateway.url).open()
    viewer.prefer("Theme", "dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert not troubles
    context.close()


HIDE = """() => {
  const held = [];
  const real = window.requestAnimationFrame;
  window.requestAnimationFrame = (frame) => held.push(frame);
  window.comeBack = () => {
    window.requestAnimationFrame = real;
    for (const frame of held) frame(performance.now());
  };
}"""


@pytest.mark.parametrize("keep", ["20,000"])
def test_a_hidden_page_stays_bounded_and_is_there_at_once(
    viewer: Viewer, nats_server: NatsServer, subject: str, keep: str
) -> None:
    viewer.prefer("Messages kept", f"{keep}, or 64 MB")
    viewer.follow(f"{subject}.*")
    viewer.page.evaluate(HIDE)
    with Flood(nats_server.port, subject, rate=20_000, total=100_000) as flood:
        flood.wait(60)
    expect(viewer.page.get_by_test_id("received")).to_have_text("100,000", timeout=60_000)
    assert longest_task(viewer.page, "comeBack()") < 100
    expect(viewer.row('"number": 99999')).to_be_in_viewport()
    viewer.expect_figure("kept", keep)
    viewer.expect_figure("notkept", "80,000")
