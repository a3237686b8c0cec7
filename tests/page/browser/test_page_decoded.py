"""Binary payloads that the detail reads."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.browser.test_page_for_everyone import violations
from tests.page.support.detail import payload, show, tab
from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway

Publish = Callable[[str, bytes], None]
Scheme = Literal["light", "dark"]
PACKED = bytes.fromhex(
    "82a26964cfffffffffffffffffa17892c3c0"
)  # {"id": 2**64 - 1, "x": [true, null]}
INSIDE = """() => [...document.querySelectorAll(".tabs-line > *, .tab")]
  .every(each => each.getBoundingClientRect().right <= innerWidth)"""


def note(page: Page) -> Any:
    return page.locator(".detail-note")


@pytest.mark.parametrize("files", ["", "single"])
def test_what_is_in_bytes_is_shown_and_loaded_only_then(
    page: Page, gateway: Gateway, publish: Publish, subject: str, files: str
) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    viewer = Viewer(page, gateway.url)
    page.goto(f"{gateway.url}/?files={files}" if files else gateway.url)
    viewer.expect_state("idle")
    show(viewer, publish, subject, b'{"plain":1}', gzip.compress(b'{"n": 1.50}'))
    expect(payload(viewer)).to_contain_text('"n": 1.50')
    expect(tab(viewer, "JSON")).to_have_attribute("aria-selected", "true")
    expect(note(page)).to_contain_text("gzip → JSON, ")
    assert sum("/page/js/decode/" in url for url in loaded) == 6
    tab(viewer, "Hex").click()
    expect(payload(viewer)).to_contain_text("1f 8b")
    viewer.button("Older").click()
    expect(payload(viewer)).to_contain_text("7b 22 70")
    expect(page.get_by_label("Read as")).to_be_hidden()


def test_numbers_keep_their_digits_and_nothing_can_be_pressed(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, PACKED)
    expect(payload(viewer)).to_contain_text('"id": 18446744073709551615')
    expect(tab(viewer, "MessagePack")).to_be_visible()
    expect(payload(viewer).get_by_role("button")).to_have_count(0)
    expect(note(viewer.page)).to_have_text("MessagePack, 18 B")


def test_the_reader_says_what_it_is_for_a_subject(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, PACKED, bytes.fromhex("089601120375f09f"))
    expect(tab(viewer, "Hex")).to_have_attribute("aria-selected", "true")
    choice = viewer.page.get_by_label("Read as")
    choice.select_option("protobuf")
    expect(payload(viewer)).to_contain_text('"1": 150')
    choice.select_option("CBOR")
    expect(note(viewer.page)).to_have_text("Not CBOR: something follows, at byte 2.")
    choice.select_option("gzip")
    expect(note(viewer.page)).to_have_text("Not gzip: it is damaged, at byte 1.")
    viewer.button("Older").click()
    expect(choice).to_have_value("gzip")
    choice.select_option("as it is")
    expect(note(viewer.page)).to_be_hidden()
    expect(tab(viewer, "Hex")).to_have_attribute("aria-selected", "true")
    choice.select_option("automatic")
    expect(tab(viewer, "MessagePack")).to_have_attribute("aria-selected", "true")


def test_a_bomb_is_cut_and_text_and_bytes_inside_are_shown(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    bomb = zlib.compress(b"x" * 100_000_000, 9)
    show(viewer, publish, subject, zlib.compress(b"\x00\xff"), bomb)
    expect(note(viewer.page)).to_contain_text("Stopped at 8 MB of it.")
    expect(tab(viewer, "text")).to_have_attribute("aria-selected", "true")
    expect(viewer.page.locator(".detail-part")).to_contain_text("of 8.4 MB")
    viewer.button("Older").click()
    expect(tab(viewer, "binary")).to_have_attribute("aria-selected", "true")
    expect(payload(viewer)).to_contain_text("00 ff")


def test_where_it_cannot_be_loaded_it_says_so(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.page.allow_errors = True  # type: ignore[attr-defined]
    viewer.page.route("**/decode.js", lambda route: route.abort())
    show(viewer, publish, subject, PACKED)
    expect(note(viewer.page)).to_contain_text("It cannot be read here: ")
    expect(payload(viewer)).to_contain_text("82 a2 69 64")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing_beside_what_was_read(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str, scheme: Scheme, width: int
) -> None:
    size: Any = {"width": width, "height": 740}
    context = chromium.new_context(color_scheme=scheme, viewport=size, reduced_motion="reduce")
    viewer = Viewer(context.new_page(), gateway.url).open()
    show(viewer, publish, subject, PACKED, PACKED.replace(b"\xc3", b"\xc2"))
    expect(payload(viewer)).to_contain_text("false")
    assert violations(viewer.page) == []
    assert viewer.page.evaluate(INSIDE)
    viewer.page.get_by_label("Read as").select_option("gzip")
    expect(note(viewer.page)).to_contain_text("Not gzip")
    assert violations(viewer.page) == []
    context.close()
