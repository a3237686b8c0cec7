"""A hostile payload is text, and the page could not run it if it were not."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.page.browser.test_page_origin import second_origin  # noqa: F401  a fixture
from tests.support.servers import Gateway

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


def test_no_page_can_frame_ours(page: Page, gateway: Gateway, second_origin: str) -> None:  # noqa: F811
    page.allow_errors = True  # type: ignore[attr-defined]
    page.goto(second_origin)
    page.evaluate(
        """url => new Promise(done => {
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = url;
          document.body.append(frame);
        })""",
        f"{gateway.url}/",
    )
    assert all("NATS live" not in frame.content() for frame in page.frames[1:])
