"""The tree of subjects, and finding out what there is, as a reader does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.streams import Streams
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running

Publish = Callable[[str, bytes], None]


def node(viewer: Viewer, name: str) -> Locator:
    """Return the line of a node by the beginning of what it is called."""
    return viewer.page.get_by_role("treeitem", name=re.compile(rf"^{re.escape(name)}(,|$)"))


def names(viewer: Viewer) -> list[str]:
    return viewer.page.get_by_role("treeitem").locator(".tree-token").all_inner_texts()


def found(viewer: Viewer) -> Locator:
    return viewer.page.get_by_test_id("found")


def look(viewer: Viewer) -> None:
    """Ask what there is, in the greeting or in the tree."""
    viewer.page.locator(".look:visible").click()
    expect(found(viewer)).to_have_text(re.compile("^Found"))


def open_tree(viewer: Viewer) -> Locator:
    viewer.page.get_by_role("button", name="Tree").click()
    return viewer.page.get_by_role("tree")


def is_on(viewer: Viewer, level: int, expanded: str | None, name: str) -> None:
    """Wait until the keyboard is on a node so deep, open or not, of that name."""
    viewer.page.wait_for_function(
        """([level, expanded, name]) => {
          const tree = document.getElementById("tree-grid");
          const item = document.getElementById(tree.getAttribute("aria-activedescendant"));
          const token = item?.querySelector(".tree-token").textContent;
          const found = [Number(item?.ariaLevel), item?.ariaExpanded, token];
          return String(found) === String([level, expanded, name]);
        }""",
        arg=[level, expanded, name],
        timeout=10_000,
    )


@pytest.fixture(scope="module")
def orders(streams: Streams) -> None:
    """A stream with few subjects, one with many, and a bucket."""
    streams.make("ORDERS", "orders.>")
    streams.make("DEVICES", "devices.>")
    streams.bucket("config")
    streams.spread("ORDERS", "orders.eu.new", "orders.eu.paid", "orders.us.new")
    streams.spread("KV_config", "$KV.config.theme")
    streams.spread("DEVICES", *(f"devices.d{number:04}" for number in range(1200)))


@pytest.mark.usefixtures("orders")
def test_a_newcomer_finds_what_there_is_and_follows_it(stream_viewer: Viewer) -> None:
    viewer = stream_viewer
    assert not any("subjects" in each and "action" in each for each in viewer.sent), "not unasked"
    viewer.page.locator("#empty").get_by_role("button", name="What is there?").click()
    expect(found(viewer)).to_have_text("Found 1,204 subjects in 3 streams.")
    expect(node(viewer, "orders")).to_contain_text("3 subjects")
    assert names(viewer) == ["devices", "orders", "$KV"]
    node(viewer, "orders").click()
    node(viewer, "eu").get_by_role("button", name="Follow orders.eu.>").click()
    expect(viewer.chip("orders.eu.>")).to_have_attribute("data-state", "active")
    expect(node(viewer, "eu")).to_have_attribute("aria-label", re.compile("followed$"))
    expect(node(viewer, "eu").get_by_role("button")).to_have_count(0)
    expect(node(viewer, "us").get_by_role("button")).to_have_count(1)
    node(viewer, "us").click()
    node(viewer, "orders.us.new").click()
    expect(viewer.chip("orders.us.new")).to_have_attribute("data-state", "active")


@pytest.mark.usefixtures("orders")
def test_of_many_siblings_some_are_shown_and_more_on_demand(stream_viewer: Viewer) -> None:
    viewer = stream_viewer
    look(viewer)
    node(viewer, "devices").click()
    more = viewer.page.get_by_role("treeitem", name="1,000 more under devices")
    viewer.page.keyboard.press("End")
    for _ in range(2):
        viewer.page.keyboard.press("ArrowUp")
    expect(more).to_have_attribute("aria-selected", "true")
    viewer.page.keyboard.press("Enter")
    viewer.page.keyboard.press("End")
    expect(viewer.page.get_by_role("treeitem", name="200 more under devices")).to_be_in_viewport()


def test_levels_count_what_came(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.>")
    open_tree(viewer)
    for name, number in (("a.x", 3), ("a.y", 2), ("b", 4)):
        for _ in range(number):
            publish(f"{subject}.{name}", b'{"last":"%b"}' % name.encode())
    viewer.expect_figure("received", "9")
    root, *_, leaf = subject.split(".")
    for name in (root, leaf):
        expect(node(viewer, name).locator(".tree-count")).to_have_text("9")
    node(viewer, "a").click()
    expect(node(viewer, "a").locator(".tree-count")).to_have_text("5")
    expect(node(viewer, f"{subject}.a.x").locator(".tree-count")).to_have_text("3")
    expect(node(viewer, f"{subject}.b")).to_contain_text('{"last":"b"}')
    expect(node(viewer, "a").locator(".tree-rate")).not_to_be_empty()
    viewer.button("Pause").click()
    publish(f"{subject}.b", b"1")
    viewer.expect_figure("received", "10")
    expect(node(viewer, root).locator(".tree-count")).to_have_text("9")
    viewer.button("Resume").click()
    expect(node(viewer, root).locator(".tree-count")).to_have_text("10")
    viewer.page.get_by_test_id("filter").fill("subject:nothing.of.it")
    expect(viewer.page.get_by_text("No subject has a message that matches.")).to_be_visible()


def test_all_of_the_tree_is_done_by_keyboard(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    press = viewer.page.keyboard.press
    viewer.follow(f"{subject}.>")
    publish(f"{subject}.a.x", b'{"open":"this"}')
    publish(f"{subject}.a.y", b"1")
    publish(f"{subject}.b", b"1")
    viewer.expect_figure("received", "3")
    press("Escape")
    press("t")
    expect(viewer.page.get_by_role("treeitem").first).to_be_visible()
    viewer.page.get_by_role("tree").focus()
    root, leaf = subject.split(".")
    press("ArrowDown")
    is_on(viewer, 1, "true", root)
    press("ArrowRight")
    is_on(viewer, 2, "true", leaf)
    press("ArrowRight")
    is_on(viewer, 3, "false", "a")
    press("ArrowRight")
    is_on(viewer, 3, "true", "a")
    press("End")
    is_on(viewer, 3, None, "b")
    press("ArrowUp")
    is_on(viewer, 4, None, "y")
    press("ArrowLeft")
    is_on(viewer, 3, "true", "a")
    press("ArrowLeft")
    is_on(viewer, 3, "false", "a")
    press("Enter")
    is_on(viewer, 3, "true", "a")
    press("ArrowDown")
    press("Enter")
    expect(viewer.detail).to_contain_text('"this"')
    press("Escape")
    expect(viewer.detail).to_be_hidden()
    press("Home")
    is_on(viewer, 1, "true", root)
    press("+")
    expect(viewer.chip(f"{root}.>")).to_have_attribute("data-state", "active")
    press("Shift+F10")
    expect(viewer.page.get_by_role("menuitem").first).to_be_focused()
    press("Escape")
    expect(viewer.page.get_by_role("tree")).to_be_focused()
    press("t")
    expect(viewer.row("this")).to_be_visible()


@pytest.mark.usefixtures("orders")
def test_a_branch_has_a_menu(stream_viewer: Viewer, streams: Streams) -> None:
    viewer = stream_viewer
    look(viewer)
    node(viewer, "orders").click(button="right")
    viewer.page.get_by_role("menuitem", name="What is there under orders?").click()
    expect(found(viewer)).to_have_text("Found 3 subjects in 1 stream under orders.>.")
    expect(node(viewer, "devices")).to_be_visible()
    node(viewer, "orders").click(button="right")
    viewer.page.get_by_role("menuitem", name="Filter to orders.>").click()
    expect(viewer.page.get_by_test_id("filter")).to_have_value("subject:orders.>")
    viewer.page.get_by_test_id("filter").fill("")
    node(viewer, "orders").click(button="right")
    viewer.page.get_by_role("menuitem", name="Follow orders.>").click()
    expect(viewer.chip("orders.>")).to_have_attribute("data-state", "active")
    streams.publish("orders.eu.new", b'{"id":3}')
    expect(node(viewer, "orders").locator(".tree-count")).to_have_text("1")


@pytest.mark.usefixtures("orders")
def test_system_subjects_can_be_hidden(stream_viewer: Viewer, streams: Streams) -> None:
    viewer = stream_viewer
    viewer.follow("$KV.config.>")
    streams.publish("$KV.config.theme", b"light")
    viewer.expect_figure("received", "1")
    open_tree(viewer)
    look(viewer)
    expect(node(viewer, "$KV")).to_be_visible()
    viewer.page.get_by_label("Hide system subjects").check()
    expect(node(viewer, "$KV")).to_have_count(0)
    expect(node(viewer, "orders")).to_be_visible()
    viewer.page.get_by_test_id("filter").fill("orders")
    expect(viewer.page.get_by_text("No subject has a message that matches.")).to_be_visible()
    viewer.page.get_by_test_id("filter").fill("")
    expect(node(viewer, "orders")).to_be_visible()


@pytest.mark.usefixtures("orders")
def test_what_was_found_is_offered_while_one_types(stream_viewer: Viewer) -> None:
    viewer = stream_viewer
    look(viewer)
    viewer.field.press_sequentially("orders.u")
    expect(viewer.page.get_by_role("option", name="orders.us.new")).to_contain_text("stored")


def test_the_view_is_in_the_address(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(subject)
    publish(subject, b"1")
    open_tree(viewer)
    expect(viewer.page).to_have_url(re.compile("v=tree"))
    viewer.page.reload()
    expect(viewer.page.get_by_role("tree")).to_be_visible()
    expect(viewer.page.get_by_text("Nothing was heard yet.")).to_be_visible()


@pytest.mark.usefixtures("orders")
def test_whoever_may_follow_little_finds_that_and_is_offered_no_more(
    page: Page, stream_server: NatsServer, tmp_path: Path
) -> None:
    allow = "orders.eu.new orders.us.>"
    gateway = Gateway(stream_server.url, log=tmp_path / "log", allow_subjects=allow)
    with running(gateway):
        viewer = Viewer(page, gateway.url).open()
        look(viewer)
        expect(found(viewer)).to_have_text("Found 2 subjects in 1 stream.")
        assert names(viewer) == ["orders", "eu", "us"]
        node(viewer, "eu").click()
        expect(node(viewer, "orders.eu.new").get_by_role("button")).to_have_count(1)
        for name, count in (("orders", 0), ("eu", 0), ("us", 1)):
            expect(node(viewer, name).get_by_role("button")).to_have_count(count)
        viewer.page.get_by_role("tree").focus()
        viewer.page.keyboard.press("Home")
        viewer.page.keyboard.press("+")
        expect(viewer.page.get_by_test_id("chip")).to_have_count(0)


def test_where_nothing_is_known_that_is_said(viewer: Viewer) -> None:
    for _ in range(2):
        viewer.page.locator(".look:visible").click()
        expect(found(viewer)).to_contain_text("NATS has no JetStream here.")


Scheme = Literal["light", "dark"]


@pytest.mark.usefixtures("orders")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_in_the_tree(
    chromium: Browser, stream_gateway: Gateway, streams: Streams, scheme: Scheme, width: int
) -> None:
    size = {"width": width, "height": 640}
    context = chromium.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    page: Page = context.new_page()
    viewer = Viewer(page, stream_gateway.url).open()
    viewer.follow("orders.eu.*")
    open_tree(viewer)
    assert violations(page) == []
    look(viewer)
    streams.publish("orders.eu.new", b'{"id":4}')
    expect(node(viewer, "orders").locator(".tree-count")).to_have_text("1")
    node(viewer, "orders").click()
    node(viewer, "eu").click()
    expect(node(viewer, "orders.eu.new")).to_be_visible()
    assert violations(page) == []
    node(viewer, "devices").click()
    page.keyboard.press("ArrowDown")
    assert violations(page) == []
    node(viewer, "devices").click(button="right")
    expect(page.get_by_role("menuitem").first).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
