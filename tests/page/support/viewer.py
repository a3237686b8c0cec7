"""The page as its reader uses it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect


class Viewer:
    """One page, by what a reader sees and does there."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.sent: list[str] = []
        self.received: list[str] = []
        self.sockets: list[Any] = []
        page.on("websocket", self._listen)

    def _listen(self, socket: Any) -> None:
        self.sockets.append(socket)
        socket.on("framesent", lambda frame: self.sent.append(str(frame)))
        socket.on("framereceived", lambda frame: self.received.extend(str(frame).splitlines()))

    def open(self, fragment: str = "") -> Viewer:
        """Open the page; what the fragment has it follow is followed when this returns."""
        self.page.goto(f"{self.url}/{fragment}")
        self.expect_state("waiting" if fragment else "idle")
        unanswered = self.page.locator("[data-testid=chip][data-state=pending]")
        expect(unanswered).to_have_count(0)
        return self

    def enter(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    def follow(self, *patterns: str) -> None:
        self.enter(" ".join(patterns))
        for pattern in patterns:
            expect(self.chip(pattern)).to_have_attribute("data-state", "active")

    def expect_state(self, state: str, timeout: float = 5_000) -> None:
        body = self.page.locator("body")
        expect(body).to_have_attribute("data-state", state, timeout=timeout)

    def requests(self, count: int) -> list[Any]:
        """What the page has sent, `count` requests at least; the driver tells of one after it."""
        for _ in range(500):
            if len(self.sent) >= count:
                break
            self.page.wait_for_timeout(10)
        return [json.loads(frame) for frame in self.sent]

    def expect_figure(self, name: str, value: str) -> None:
        expect(self.page.get_by_test_id(name)).to_have_text(value)

    def chip(self, pattern: str) -> Locator:
        name = self.page.get_by_text(pattern, exact=True)
        return self.page.get_by_test_id("chip").filter(has=name)

    def row(self, text: str) -> Locator:
        return self.page.get_by_test_id("row").filter(has_text=text, visible=True)

    def prefer(self, name: str, choice: str) -> None:
        """Choose something in the settings."""
        self.button("Settings").click()
        self.page.get_by_label(name, exact=True).select_option(choice)
        self.page.keyboard.press("Escape")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    @property
    def field(self) -> Locator:
        return self.page.get_by_test_id("field")

    @property
    def error(self) -> Locator:
        return self.page.get_by_test_id("error")

    @property
    def detail(self) -> Locator:
        return self.page.get_by_test_id("detail")
