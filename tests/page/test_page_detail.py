"""The detail of a message: its views, what can be done with a value, plots, neighbours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.viewer import Viewer
from tests.raw_nats import RawNats
from tests.servers import Gateway, NatsServer, running, until

Publish = Callable[[str, bytes], None]

ORDER = b'{"id":9007199254740993,"price":1.50,"items":[{"sku":"A-1","odd key":true}]}'


def payload(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("payload")


def plot(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("plot")


def tab(viewer: Viewer, name: str) -> Locator:
    return viewer.page.get_by_role("tab", name=name)


def value(viewer: Viewer, text: str) -> Locator:
    return payload(viewer).get_by_role("button", name=text, exact=True)


def item(viewer: Viewer, name: str) -> Locator:
    return viewer.page.get_by_role("menuitem", name=name)


def show(viewer: Viewer, publish: Publish, subject: str, *payloads: bytes) -> None:
    """Publish these and open the last of them."""
    viewer.follow(subject)
    for each in payloads:
        publish(subject, each)
    viewer.expect_figure("received", str(len(payloads)))
    viewer.row(subject).last.click()
    expect(viewer.detail).to_be_visible()


def watch_clipboard(viewer: Viewer) -> Callable[[], Any]:
    """Return a function that returns what was copied last."""
    viewer.page.evaluate(
        "navigator.clipboard.writeText = async text => { globalThis.copied = text; }"
    )
    return lambda: viewer.page.evaluate("globalThis.copied")


def close_one_by_one(viewer: Viewer, *opened: Locator) -> None:
    """Press Escape as often as there are things, and see that it closes the innermost alone."""
    while opened:
        expect(opened[0]).to_be_visible()
        viewer.page.keyboard.press("Escape")
        expect(opened[0]).to_be_hidden()
        opened = opened[1:]


def points(viewer: Viewer) -> int:
    line = plot(viewer).locator("polyline")
    return len(str(line.get_attribute("points")).split()) if line.count() else 0


def test_json_is_pretty_at_first_and_exact_in_every_view(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, ORDER)
    expect(tab(viewer, "Pretty")).to_have_attribute("aria-selected", "true")
    expect(payload(viewer)).to_contain_text('"id": 9007199254740993,')
    expect(payload(viewer)).to_contain_text('"price": 1.50,')
    expect(tab(viewer, "Diff")).to_be_hidden()
    tab(viewer, "Raw").click()
    expect(payload(viewer)).to_have_text(ORDER.decode())
    tab(viewer, "Hex").click()
    expect(payload(viewer)).to_contain_text("7b 22 69 64")
    facts = viewer.detail.locator(".detail-facts")
    expect(facts).to_contain_text(re.compile(r"^\d\d:\d\d:\d\d\.\d{3} · .+ · 75 B · JSON · #1$"))


def test_copy_takes_the_payload_as_it_came(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, ORDER)
    copied = watch_clipboard(viewer)
    viewer.button("Copy").click()
    expect(viewer.button("Copied")).to_be_visible()
    assert copied() == ORDER.decode()


def test_copy_works_where_there_is_no_clipboard(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'"old way"')
    viewer.page.evaluate(
        "() => { Object.defineProperty(navigator, 'clipboard', { value: undefined }); "
        "document.addEventListener('copy', () => "
        "{ globalThis.copied = document.activeElement.value; }); }"
    )
    viewer.button("Copy").click()
    expect(viewer.button("Copied")).to_be_visible()
    assert viewer.page.evaluate("globalThis.copied") == '"old way"'


def test_binary_is_hex_at_first_and_text_is_raw(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b"\xff\xfe\x00AB")
    expect(tab(viewer, "Hex")).to_have_attribute("aria-selected", "true")
    expect(payload(viewer)).to_have_text(re.compile(r"^00000000  ff fe 00 41 42 +\.\.\.AB$"))
    expect(tab(viewer, "Pretty")).to_be_hidden()
    tab(viewer, "Raw").click()
    expect(payload(viewer)).to_have_text("//4AQUI=")


def test_the_view_chosen_last_stays(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"n":1}', b"some text", b'{"n":2}')
    tab(viewer, "Pretty").click()
    viewer.row("some text").click()
    expect(tab(viewer, "Raw")).to_have_attribute("aria-selected", "true")
    viewer.row('{"n":1}').click()
    expect(tab(viewer, "Pretty")).to_have_attribute("aria-selected", "true")
    tab(viewer, "Hex").click()
    viewer.row('{"n":2}').click()
    expect(tab(viewer, "Hex")).to_have_attribute("aria-selected", "true")


def test_arrow_keys_go_from_tab_to_tab(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"n":1}')
    tab(viewer, "Pretty").focus()
    for key, name in [
        ("ArrowRight", "Raw"),
        ("ArrowRight", "Hex"),  # no Diff: there is nothing before
        ("ArrowRight", "Pretty"),
        ("ArrowLeft", "Hex"),
        ("Home", "Pretty"),
        ("End", "Hex"),
    ]:
        viewer.page.keyboard.press(key)
        expect(tab(viewer, name)).to_be_focused()
        expect(tab(viewer, name)).to_have_attribute("aria-selected", "true")
        assert payload(viewer).get_attribute("aria-labelledby") == (
            tab(viewer, name).get_attribute("id")
        )


def test_diff_marks_only_the_line_that_changed(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    old = {f"key{number}": number for number in range(30)}
    new = old | {"key15": "changed"}
    viewer.follow(f"{subject}.other")
    show(viewer, publish, subject, json.dumps(old).encode(), json.dumps(new).encode())
    tab(viewer, "Diff").click()
    expect(payload(viewer).locator(".diff-old")).to_have_text('-   "key15": 15,')
    expect(payload(viewer).locator(".diff-new")).to_have_text('+   "key15": "changed",')
    expect(payload(viewer).locator(".diff-fold")).to_have_text(
        ["… 13 lines alike", "… 12 lines alike"]
    )
    expect(payload(viewer).locator(".diff-same")).to_have_count(6)
    expect(viewer.detail).to_contain_text("Compared with #1,")


def test_diff_says_so_where_nothing_differs(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"a":1}', b'{ "a": 1 }')
    tab(viewer, "Diff").click()
    expect(viewer.detail).to_contain_text("Nothing differs from #1")
    expect(payload(viewer)).to_have_text("… 3 lines alike")


def test_a_number_is_plotted_over_all_messages_of_its_subject(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.other", b'{"price":99}')
    for number in range(20):
        publish(f"{subject}.a", json.dumps({"price": 10 + number}).encode())
    viewer.expect_figure("received", "21")
    viewer.row(f"{subject}.a").last.click()
    value(viewer, "29").click()
    expect(plot(viewer)).to_be_visible()
    until(lambda: points(viewer) == 20)
    picture = plot(viewer).get_by_role("img")
    expect(picture).to_have_attribute(
        "aria-label", re.compile(r"^price over .*: 10 to 29, last 29, 20 messages$")
    )
    expect(plot(viewer)).to_contain_text(re.compile(r"min\s*10\s*max\s*29\s*last\s*29"))
    viewer.page.keyboard.press("Escape")
    expect(plot(viewer)).to_be_hidden()
    expect(value(viewer, "29")).to_be_focused()
    expect(viewer.detail).to_be_visible()


def test_a_plot_goes_on_while_messages_arrive(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"price":1}', b'{"price":2}')
    value(viewer, "2").click()
    until(lambda: points(viewer) == 2)
    viewer.button("Resume").click()
    publish(subject, b'{"price":9007199254740993}')
    until(lambda: points(viewer) == 3)
    expect(plot(viewer)).to_contain_text("9007199254740993")
    plot(viewer).get_by_role("button", name="Close the plot").click()
    expect(plot(viewer)).to_be_hidden()


def test_a_click_on_a_plot_shows_that_message(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"price":1}', b'{"price":2}', b'{"price":3}')
    value(viewer, "3").click()
    until(lambda: points(viewer) == 3)
    picture = plot(viewer).locator(".plot-picture")
    picture.click(position={"x": 24, "y": 128})  # left and low
    expect(payload(viewer)).to_contain_text('"price": 1')
    expect(plot(viewer)).to_be_visible()


def test_a_press_on_a_plot_counts_although_it_is_drawn_anew(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"price":1}', b'{"price":2}')
    value(viewer, "2").click()
    until(lambda: points(viewer) == 2)
    viewer.button("Resume").click()
    place = plot(viewer).locator(".plot-line").bounding_box()
    assert place is not None
    viewer.page.mouse.move(place["x"] - 3, place["y"] + place["height"] - 1)
    viewer.page.mouse.down()
    publish(subject, b'{"price":3}')
    until(lambda: points(viewer) == 3)
    viewer.page.mouse.up()
    expect(payload(viewer)).to_contain_text('"price": 1')


def test_a_plot_is_closed_with_its_subject(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.a", b'{"price":1}')
    publish(f"{subject}.b", b'{"price":2}')
    viewer.expect_figure("received", "2")
    viewer.row(f"{subject}.a").click()
    value(viewer, "1").click()
    expect(plot(viewer)).to_be_visible()
    viewer.row(f"{subject}.b").click()
    expect(plot(viewer)).to_be_hidden()


def test_older_and_newer_go_along_the_subject_and_keep_the_focus(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    for number in range(3):
        publish(f"{subject}.a", f'{{"n":{number}}}'.encode())
        publish(f"{subject}.b", b'"other"')
    viewer.expect_figure("received", "6")
    viewer.row('{"n":2}').click()
    older, newer = viewer.button("Older"), viewer.button("Newer")
    expect(newer).to_be_disabled()
    older.focus()
    for number in (1, 0):
        viewer.page.keyboard.press("Enter")
        expect(payload(viewer)).to_contain_text(f'"n": {number}')
    expect(older).to_be_disabled()
    expect(older).to_be_focused()
    viewer.page.keyboard.press("Enter")
    expect(payload(viewer)).to_contain_text('"n": 0')
    newer.press("Enter")
    expect(payload(viewer)).to_contain_text('"n": 1')


def test_a_newer_message_can_be_gone_to_as_soon_as_it_arrives(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"n":1}')
    viewer.button("Resume").click()
    expect(viewer.button("Newer")).to_be_disabled()
    publish(subject, b'{"n":2}')
    expect(viewer.button("Newer")).to_be_enabled()
    viewer.button("Newer").click()
    expect(payload(viewer)).to_contain_text('"n": 2')


@pytest.mark.parametrize(
    ("text", "name", "copied"),
    [
        ('"A-1"', "Copy value", "A-1"),
        ('"A-1"', "Copy path", "items[0].sku"),
        ("true", "Copy path", 'items[0]["odd key"]'),
        ("true", "Copy value", "true"),
    ],
)
def test_the_menu_of_a_value_copies(
    viewer: Viewer, publish: Publish, subject: str, text: str, name: str, copied: str
) -> None:
    show(viewer, publish, subject, ORDER)
    clipboard = watch_clipboard(viewer)
    value(viewer, text).click()
    expect(item(viewer, "Copy value")).to_be_focused()
    item(viewer, name).click()
    until(lambda: clipboard() == copied)
    expect(value(viewer, text)).to_be_focused()


def test_a_number_has_a_menu_too(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, ORDER)
    clipboard = watch_clipboard(viewer)
    payload(viewer).get_by_text('"id"').click()
    item(viewer, "Copy value").click()
    until(lambda: clipboard() == "9007199254740993")
    value(viewer, "1.50").click(button="right")
    item(viewer, "Plot over time").click()
    expect(plot(viewer)).to_contain_text("1.50")
    plot(viewer).get_by_role("button", name="What to do with this value").click()
    item(viewer, "Copy path").click()
    until(lambda: clipboard() == "price")


def test_the_menu_of_the_subject(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, ORDER)
    clipboard = watch_clipboard(viewer)
    viewer.detail.get_by_role("button", name=subject).click()
    for name in ("Filter to this subject", "Exclude this subject", "Subscribe only this"):
        expect(item(viewer, name)).to_be_visible()
    item(viewer, "Copy subject").click()
    until(lambda: clipboard() == subject)


def test_the_detail_needs_no_mouse(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"a":"x","b":{"price":2},"c":[true]}')
    clipboard = watch_clipboard(viewer)
    press = viewer.page.keyboard.press
    payload(viewer).focus()
    press("ArrowDown")
    expect(value(viewer, '"x"')).to_be_focused()
    press("ArrowDown")
    expect(value(viewer, "2")).to_be_focused()
    press("Enter")
    expect(plot(viewer)).to_be_visible()
    press("ArrowDown")
    expect(value(viewer, "true")).to_be_focused()
    press("Enter")
    press("ArrowDown")
    expect(item(viewer, "Copy path")).to_be_focused()
    press("Enter")
    until(lambda: clipboard() == "c[0]")
    press("Enter")
    expect(item(viewer, "Copy value")).to_be_focused()
    close_one_by_one(viewer, item(viewer, "Copy value"), plot(viewer), viewer.detail)
    expect(viewer.page.get_by_role("grid", name="Messages")).to_be_focused()


def test_escape_on_a_phone_closes_one_thing_at_a_time(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    show(viewer, publish, subject, b'{"a":"x","price":2}')
    value(viewer, "2").click()
    expect(plot(viewer)).to_be_visible()
    small = viewer.detail.locator("button:visible").evaluate_all(
        """buttons => buttons.map(button => button.getBoundingClientRect())
            .filter(({ width, height }) => width < 44 || height < 44).length"""
    )
    assert small == 0
    assert viewer.page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    value(viewer, '"x"').click()
    close_one_by_one(viewer, item(viewer, "Copy value"), plot(viewer), viewer.detail)
    viewer.page.wait_for_function("history.state === null")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, RawNats]]:
    """A gateway and a NATS that take payloads of 5 MB."""
    folder = tmp_path_factory.mktemp("large")
    gateway_of = {"log": folder / "log", "max_pending_bytes": 32 * 1024 * 1024}
    with (
        running(NatsServer(folder, "max_payload: 8MB\nmax_pending: 64MB")) as server,
        running(Gateway(server.url, **gateway_of)) as gateway,
        RawNats(server.port) as raw_nats,
    ):
        yield gateway, raw_nats


def large_json() -> bytes:
    rows = [{"n": number, "text": f"line {number} of many"} for number in range(110_000)]
    return json.dumps({"rows": rows}).encode()


OPENS = """async () => {
  const row = [...document.querySelectorAll("[data-testid=row]")].find(row => !row.hidden);
  const press = { bubbles: true, cancelable: true };
  const start = performance.now();
  row.dispatchEvent(new PointerEvent("pointerdown", press));
  row.click();
  document.querySelector("[data-testid=payload]").getBoundingClientRect();
  await new Promise(requestAnimationFrame);
  await new Promise(done => setTimeout(done)); // the frame is painted
  return performance.now() - start;
}"""


@pytest.mark.parametrize(
    "make", [large_json, lambda: b"word " * 1_000_000, lambda: b"\xff" * 5_000_000]
)
def test_five_megabytes_open_at_once_and_show_their_beginning(
    page: Page, large: tuple[Gateway, RawNats], subject: str, make: Callable[[], bytes]
) -> None:
    gateway, raw_nats = large
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    body = make()
    raw_nats.publish(subject, body)
    row = viewer.row(subject)
    expect(row).to_have_count(1)
    assert len(row.locator(".row-text").inner_text()) <= 300
    # the quickest of a few, for the machine may be busy with others
    assert min(page.evaluate(OPENS) for _ in range(5)) < 300
    expect(viewer.detail).to_contain_text(re.compile(r"The first (5\d|6\d)\.\d kB of \d\.\d MB"))
    assert page.evaluate("document.querySelectorAll('#detail *').length") < 20_000
    with page.expect_download() as downloading:
        viewer.button("Download").click()
    assert Path(downloading.value.path()).read_bytes() == body
    assert downloading.value.suggested_filename.startswith(f"{subject}-1.")


def test_all_of_five_megabytes_can_be_shown_without_freezing(
    page: Page, large: tuple[Gateway, RawNats], subject: str
) -> None:
    gateway, raw_nats = large
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    raw_nats.publish(subject, large_json())
    viewer.row(subject).click()
    page.evaluate(
        "() => { globalThis.longest = 0; new PerformanceObserver(list => { "
        "for (const { duration } of list.getEntries()) "
        "globalThis.longest = Math.max(globalThis.longest, duration); })"
        ".observe({ type: 'longtask' }); }"
    )
    viewer.button("Show all").click()
    expect(viewer.detail.locator(".detail-more")).to_be_hidden(timeout=60_000)
    expect(payload(viewer)).to_be_focused()
    end = payload(viewer).evaluate("pane => pane.textContent.slice(-40)")
    assert '109999 of many"' in end
    payload(viewer).press("End")
    expect(value(viewer, '"line 109999 of many"')).to_be_in_viewport()
    assert page.evaluate("globalThis.longest") < 400
    assert page.evaluate("document.querySelectorAll('#detail *').length") < 20_000


def test_plots_and_views_stand_in_dark_and_forced_colours(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    for options in ({"color_scheme": "dark"}, {"forced_colors": "active"}):
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        viewer = Viewer(context.new_page(), gateway.url).open()
        show(viewer, publish, subject, b'{"price":1}', b'{"price":2}')
        value(viewer, "2").click()
        until(lambda shown=viewer: points(shown) == 2)  # type: ignore[misc]
        style = "line => getComputedStyle(line).stroke"
        stroke = plot(viewer).locator("polyline").evaluate(style)
        back = viewer.detail.evaluate("pane => getComputedStyle(pane).backgroundColor")
        assert stroke not in ("none", back)
        context.close()
