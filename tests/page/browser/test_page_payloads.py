"""A hostile payload is text, and the page could not run it if it were not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.page.support.viewer import Viewer
from tests.support.servers import Gateway, NatsServer, running

SCRIPTS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "javascript:alert(1)",
    '"><b onmouseover=alert(1)>',
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "{{constructor.constructor('alert(1)')()}}",
]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_payload_of_script_stays_text(
    page: Page, gateway: Gateway, publish: Callable[[str, bytes], None], script: str
) -> None:
    dialogs: list[Dialog] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog))
    page.goto(f"{gateway.url}/")
    page.get_by_test_id("field").fill("hostile.*")
    page.get_by_test_id("field").press("Enter")
    expect(page.get_by_test_id("chip")).to_have_attribute("data-state", "active")
    elements = page.evaluate("document.querySelectorAll('script, svg, iframe, img, b').length")
    publish("hostile.text", script.encode())
    publish("hostile.json", json.dumps({script: script}).encode())
    if " " not in script:
        publish(f"hostile.{script.replace('.', '')}", b"1")
    row = page.get_by_test_id("row").filter(has_text="hostile.text", visible=True)
    expect(row).to_contain_text(script)
    row.click()
    expect(page.get_by_test_id("detail")).to_contain_text(script)
    assert page.evaluate("document.querySelectorAll('script, svg, iframe, img, b').length") == (
        elements
    )
    assert dialogs == []


def test_the_page_could_not_run_markup_if_it_tried(page: Page, gateway: Gateway) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    page.goto(f"{gateway.url}/")
    for attempt in (
        "document.body.innerHTML = '<b>x</b>'",
        "document.body.insertAdjacentHTML('beforeend', '<b>x</b>')",
        "document.createElement('script').text = 'window.ran = true'",
        "trustedTypes.createPolicy('mine', {})",
    ):
        code = f"() => {{ try {{ {attempt} }} catch (error) {{ return error.name }} }}"
        assert page.evaluate(code) == "TypeError", attempt


FRAME = """url => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.onload = done;
  frame.src = url;
  document.body.append(frame);
})"""


def test_no_page_can_frame_ours(page: Page, gateway: Gateway, second_origin: str) -> None:
    page.allow_errors = True  # type: ignore[attr-defined]
    page.goto(second_origin)
    page.evaluate(FRAME, f"{gateway.url}/")
    assert all("NATS live" not in frame.content() for frame in page.frames[1:])


ODD = [
    b"NaN",
    b'\xef\xbb\xbf{"bom":1}',
    b'"\\ud800"',
    '"\u2028\u2029"'.encode(),
    b'"\\u0000"',
    b"\x00",
    b"1e400",
    b"-0",
    b"12345678901234567890.12345678901234567890",
    b"[" * 900 + b"]" * 900,
    b"[" * 5000 + b"]" * 5000,
    b'{"a":1,"a":2}',
    b'{"__proto__":{"x":1},"constructor":1,"toString":2,"":3}',
    b"",
    b" ",
    b"\n{\n}\r\n",
    b'"\xff"',
    b"{a:1}",
    b"null",
    b'{"a":1}\n{"a":2}',
    '"\u202e right to left"'.encode(),
    b"\x1b[31mred",
]
"""Payloads that break naive readers of JSON, and of text."""


def test_odd_payloads_can_be_looked_at_in_every_way_and_exported(
    page: Page, gateway: Gateway, publish: Callable[[str, bytes], None], subject: str
) -> None:
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(f"{subject}.*")
    for number, payload in enumerate(ODD):
        publish(f"{subject}.{number}", payload)
    viewer.expect_figure("received", str(len(ODD)))
    page.locator("#messages").focus()
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    for number in range(len(ODD)):
        expect(page.locator(".detail-name")).to_have_text(f"{subject}.{number}")
        for tab in page.get_by_role("tab").all():
            if tab.is_visible():
                tab.click()
                expect(page.get_by_test_id("payload")).to_be_visible()
        page.locator("#messages").focus()
        page.keyboard.press("ArrowDown")
    viewer.button("Latest").click()
    expect(page.locator("[data-testid=latest-row]:not([hidden])").first).to_be_visible()
    page.locator("#export").click()
    with page.expect_download() as held:
        viewer.button("All kept as NDJSON").click()
    lines = Path(held.value.path()).read_text().split("\n")[:-1]
    assert len(lines) == len(ODD)
    assert '"data":12345678901234567890.12345678901234567890}' in lines[8]


def test_a_page_that_is_named_can_frame_ours(
    page: Page,
    nats_server: NatsServer,
    log: Path,
    second_origin: str,
) -> None:
    with running(Gateway(nats_server.url, log=log, frame_ancestors=second_origin)) as gateway:
        page.goto(second_origin)
        page.evaluate(FRAME, f"{gateway.url}/")
        (frame,) = page.frames[1:]
        expect(frame.locator("body")).to_have_attribute("data-state", "idle")
        page.allow_errors = True  # type: ignore[attr-defined]
        page.goto(second_origin.replace("127.0.0.1", "localhost"))
        page.evaluate(FRAME, f"{gateway.url}/")
        assert all("NATS live" not in frame.content() for frame in page.frames[1:])


def test_text_that_would_deceive_is_shown_as_what_it_is(
    viewer: Viewer, publish: Callable[[str, bytes], None], subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.exe", "user\u202egnp.exe".encode())
    publish(f"{subject}.json", '{"file":"a\u202eb"}'.encode())
    publish(f"{subject}.name\u202ex", '{"שם":"דוד המלך"}'.encode())
    expect(viewer.row("user⟨U+202E⟩gnp.exe")).to_have_count(1)
    expect(viewer.row("name⟨U+202E⟩x")).to_have_count(1)
    viewer.row(f"{subject}.exe").click()
    expect(viewer.detail.locator(".sign")).to_have_text("⟨U+202E⟩")
    viewer.row(f"{subject}.json").click()
    expect(viewer.page.get_by_test_id("payload")).to_contain_text('"file": "a⟨U+202E⟩b"')
    viewer.detail.locator(".sign").click()
    expect(viewer.page.get_by_role("menuitem", name="Copy value")).to_be_visible()
    viewer.page.keyboard.press("Escape")
    viewer.row("name⟨U+202E⟩x").click()
    key, value = (
        viewer.detail.locator(f".json-{kind}").bounding_box() for kind in ("key", "string")
    )
    assert key
    assert value
    assert key["x"] < value["x"]
