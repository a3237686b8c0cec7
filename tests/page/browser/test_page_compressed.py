"""The page in a browser that offers compression, as all of them do."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from tests.page.support.viewer import Viewer
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway

INPUT, OUTPUT = (f"bridge_compression_{side}_bytes_total" for side in ("input", "output"))


def test_the_page_gets_compressed_messages_as_they_were_published(
    page: Page, gateway: Gateway, raw_nats: RawNats, subject: str
) -> None:
    page.add_init_script(
        "window.offered = []; const Real = WebSocket;"
        "WebSocket = class extends Real { constructor(...all) { super(...all);"
        " this.addEventListener('open', () => offered.push(this.extensions)); } };"
    )
    viewer = Viewer(page, gateway.url).open()
    viewer.follow(subject)
    assert page.evaluate("offered.at(-1)").startswith("permessage-deflate")
    before = gateway.figures()
    for number in range(3):
        text = f"message {number}, " + "ü€🦀 and so on " * 100
        raw_nats.publish(subject, json.dumps({"text": text}).encode())
        expect(viewer.row(f"message {number}, ")).to_be_visible()
    after = gateway.figures()
    assert after[INPUT] - before[INPUT] > 3 * 1400
    assert after[OUTPUT] - before[OUTPUT] < (after[INPUT] - before[INPUT]) / 4
