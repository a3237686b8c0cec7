"""What a reader does in a browser that Playwright does not drive."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any

STARTS_WITHIN = 60  # s; the first start on a new profile takes a while on a busy machine
ANSWERS_WITHIN = 120  # s; the first start of a browser on a busy machine takes more than 30
ENTER = "\ue007"
ESCAPE = "\ue00c"


class Driver(ABC):
    """One browser with one tab.

    What is done there is the same in WebDriver and in WebDriver BiDi: "actions" of a pointer or of
    a keyboard. How they get there, and what the browser says, is up to the subclass.
    """

    @abstractmethod
    def go(self, url: str) -> None:
        """Open an address and wait until it has loaded."""

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, as JSON would hold it."""

    @abstractmethod
    def troubles(self) -> list[str]:
        """Return what the browser complained of so far: errors and violations of the policy."""

    @abstractmethod
    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        """Do something with the "pointer" or the "key"s."""

    def text(self, selector: str) -> str:
        """Return what can be read in an element, "" if there is none."""
        found = self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText")
        return (found or "").strip()  # WebKit ends some with a line break

    def click(self, selector: str) -> None:
        """Click in the middle of an element."""
        box = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect().toJSON()"
        found = self.evaluate(box)
        x, y = (int(found[a] + found[b] / 2) for a, b in (("x", "width"), ("y", "height")))
        self.act(
            "pointer",
            [
                {"type": "pointerMove", "x": x, "y": y},
                {"type": "pointerDown", "button": 0},
                {"type": "pointerUp", "button": 0},
            ],
        )

    def type(self, text: str) -> None:
        """Press the key of each character, where the focus is."""
        kinds = ("keyDown", "keyUp")
        self.act("key", [{"type": kind, "value": key} for key in text for kind in kinds])
