"""The page while the browser translates it: what is new is shown, and data stays what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.page.support.viewer import Viewer

Publish = Callable[[str, bytes], None]

WRAPPED = """(node) => {
  const font = document.createElement("font");
  font.append(document.createElement("font"));
  node.replaceWith(font);
  font.firstChild.append(`«${node.data}»`);
}"""
"""What Chromium, Edge and their like make of a text."""

IN_PLACE = "(node) => { node.data = `«${node.data}»`; }"
"""What Firefox and Safari do."""

TRANSLATE = """([how, all]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (texts.nextNode()) found.push(texts.currentNode);
  const isMeant = ({ parentElement, data }) =>
    data.trim() && (all || parentElement.translate) && !data.startsWith("«")
      && !parentElement.closest("font, template");
  found.filter(isMeant).forEach(eval(how));
}"""

EXACT = """() => [...document.querySelectorAll("[data-testid=row]:not([hidden])")]
  .map((row) => row.querySelector(".row-text").textContent)"""


@pytest.fixture(params=[WRAPPED, IN_PLACE], ids=["wrapped", "in place"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def reader(page: Page, gateway: object, viewer: Viewer, publish: Publish, subject: str) -> Viewer:
    viewer.follow(f"{subject}.*")
    for number in range(40):
        publish(f"{subject}.a", b'{"old": %d}' % number)
    expect(viewer.row('"old": 39')).to_have_count(1)
    return viewer


def translate(reader: Viewer, how: str, *, everything: bool = False) -> None:
    """Do as a translator does, to what it may touch, or to everything."""
    reader.page.evaluate(TRANSLATE, [how, everything])


def test_rows_do_not_stand_still(reader: Viewer, publish: Publish, subject: str, how: str) -> None:
    translate(reader, how, everything=True)
    for number in range(60):
        publish(f"{subject}.b", b'{"new": %d}' % number)
    expect(reader.row('"new": 59')).to_have_count(1)
    assert not [text for text in reader.page.evaluate(EXACT) if "old" in text]
    reader.expect_figure("received", "100")
    reader.button("Latest").click()
    expect(reader.page.get_by_test_id("latest-row").filter(has_text=f"{subject}.b")).to_have_count(
        1
    )
    translate(reader, how, everything=True)
    publish(f"{subject}.b", b'"newest"')
    newest = reader.page.get_by_test_id("latest-row").filter(has_text='"newest"')
    expect(newest).to_have_count(1)


def test_what_is_said_of_the_connection_is_true(reader: Viewer, how: str) -> None:
    word = reader.page.locator("#state-word")
    expect(word).to_have_text("Live")
    translate(reader, how)
    reader.page.wait_for_timeout(1_200)  # in which everything was painted anew, to no effect
    expect(word).to_have_text("«Live»")
    reader.button("Pause").click()
    expect(word).to_have_text("Paused")


def test_data_and_code_are_not_for_translators(reader: Viewer, how: str, subject: str) -> None:
    reader.row('"old": 39').click()
    expect(reader.detail).to_be_visible()
    translate(reader, how)
    page = reader.page
    assert not page.evaluate("""() => [...document.querySelectorAll(
        ".row, .chip-pattern, .detail-name, .detail-payload, code, pre, kbd, [data-subject]"
      )].filter((element) => element.textContent.includes("«") || element.translate).length""")
    expect(page.locator(".detail-name")).to_have_text(f"{subject}.a")
    expect(page.get_by_test_id("payload")).to_have_text('{\n  "old": 39\n}')
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_line_between_the_messages_is_for_translators(reader: Viewer, how: str) -> None:
    reader.page.allow_errors = True  # type: ignore[attr-defined]
    reader.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    note = reader.page.locator(".row.note:not([hidden]) .row-text")
    expect(note).to_contain_text("disconnected", timeout=15_000)
    translate(reader, how)
    expect(note).to_contain_text("«disconnected")
