"""Views that stay, and files that were exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import Publish, payload, tab
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway


def star(viewer: Viewer) -> None:
    viewer.button("Saved views and files").click()
    expect(viewer.page.locator("#views-panel")).to_be_visible()


def open_file(viewer: Viewer, path: Path) -> None:
    star(viewer)
    with viewer.page.expect_file_chooser() as choosing:
        viewer.button("Open a file…").click()
    choosing.value.set_files(path)


def captured(folder: Path, number: int = 300) -> Path:
    path = folder / "capture.ndjson"
    lines = [
        f'{{"time":"2026-11-27T12:0{each % 5}:00.000Z","subject":"orders.{each % 3}",'
        f'"data":{{"id":90071992547409{each:02},"price":{each}}}}}'
        for each in range(number)
    ]
    path.write_text("\n".join([*lines, "no message", ""]))
    return path


def test_a_view_is_saved_by_name_and_opened_again(viewer: Viewer, subject: str) -> None:
    viewer.follow(f"{subject}.>")
    viewer.page.get_by_test_id("filter").fill("level:error")
    viewer.button("Latest").click()
    star(viewer)
    viewer.page.get_by_label("Name of this view").fill("Errors of today")
    viewer.page.keyboard.press("Enter")
    expect(viewer.button("Errors of today").first).to_be_visible()
    viewer.page.goto("about:blank")
    viewer.open()
    star(viewer)
    expect(viewer.page.get_by_label("Name of this view")).to_be_hidden()
    viewer.page.get_by_role("button", name="Errors of today", exact=True).click()
    expect(viewer.chip(f"{subject}.>")).to_have_attribute("data-state", "active")
    expect(viewer.page.get_by_test_id("filter")).to_have_value("level:error")
    expect(viewer.page.locator("body")).to_have_attribute("data-view", "latest")
    viewer.page.go_back()
    expect(viewer.chip(f"{subject}.>")).to_have_count(0)
    star(viewer)
    viewer.button("Forget the view Errors of today").click()
    expect(viewer.button("Errors of today")).to_have_count(0)
    expect(viewer.button("Open a file…")).to_be_focused()


def test_an_exported_file_opens_without_nats(viewer: Viewer, tmp_path: Path) -> None:
    open_file(viewer, captured(tmp_path))
    band = viewer.page.get_by_test_id("file")
    expect(band).to_contain_text("capture.ndjson: 300 messages of 27 Nov")
    expect(band).to_contain_text("1 line is no message")
    viewer.page.get_by_test_id("filter").fill("price>297")
    expect(viewer.page.get_by_test_id("shown")).to_have_text("2 of 300")
    viewer.row("orders.1").click()
    expect(payload(viewer)).to_contain_text('"id": 90071992547409298')
    tab(viewer, "Diff").click()
    expect(viewer.detail).to_contain_text("Compared with #296")
    viewer.page.get_by_test_id("filter").fill("")
    viewer.button("Latest").click()
    expect(viewer.page.get_by_test_id("latest-row").filter(visible=True)).to_have_count(3)
    viewer.button("Close the file").click()
    expect(viewer.page.get_by_role("heading", name="Watch NATS subjects, live")).to_be_visible()


def test_what_comes_while_a_file_is_open_is_there_after_it(
    viewer: Viewer, publish: Publish, subject: str, tmp_path: Path
) -> None:
    viewer.follow(subject)
    publish(subject, b'"before"')
    expect(viewer.row("before")).to_have_count(1)
    open_file(viewer, captured(tmp_path))
    expect(viewer.row("price")).not_to_have_count(0)
    expect(viewer.row("before")).to_have_count(0)
    publish(subject, b'"meanwhile"')
    viewer.button("Resume (1 new)").click()
    expect(viewer.row("meanwhile")).to_have_count(1)
    expect(viewer.page.get_by_test_id("file")).to_be_hidden()


def test_what_this_page_exports_it_opens(
    viewer: Viewer, publish: Publish, subject: str, tmp_path: Path
) -> None:
    viewer.follow(subject)
    publish(subject, b'{"id":9007199254740993,"x":1.50}')
    publish(subject, b"\x00\xff")
    expect(viewer.row(subject)).to_have_count(2)
    viewer.button("Export").click()
    with viewer.page.expect_download() as held:
        viewer.button("All kept as NDJSON").click()
    path = tmp_path / "mine.ndjson"
    held.value.save_as(path)
    open_file(viewer, path)
    expect(viewer.page.get_by_test_id("file")).to_contain_text("mine.ndjson: 2 messages")
    viewer.row("9007199254740993").click()
    expect(payload(viewer)).to_contain_text('"x": 1.50')


def test_a_file_of_something_else_is_refused_in_words(viewer: Viewer, tmp_path: Path) -> None:
    path = tmp_path / "notes.ndjson"
    path.write_text(json.dumps({"shopping": ["milk"]}))
    open_file(viewer, path)
    expect(viewer.page.get_by_test_id("toast")).to_contain_text("notes.ndjson has no messages")
    expect(viewer.page.get_by_test_id("file")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_views_and_a_file(
    chromium: Browser, gateway: Gateway, subject: str, tmp_path: Path, scheme: str
) -> None:
    context = chromium.new_context(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    viewer = Viewer(context.new_page(), gateway.url).open()
    viewer.follow(subject)
    star(viewer)
    viewer.page.get_by_label("Name of this view").fill("Mine")
    viewer.page.keyboard.press("Enter")
    assert violations(viewer.page) == []
    viewer.page.keyboard.press("Escape")
    open_file(viewer, captured(tmp_path))
    expect(viewer.page.get_by_test_id("file")).to_be_visible()
    assert violations(viewer.page) == []
    context.close()
