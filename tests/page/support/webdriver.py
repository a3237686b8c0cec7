"""WebKit as a distribution packs it (WebKitGTK), over WebDriver, on a screen of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.page.support.driver import ANSWERS_WITHIN, STARTS_WITHIN, Driver
from tests.support.servers import free_port, http, until

# WebDriver tells nothing of the console, and can put nothing into a page before it has loaded: what
# goes wrong by then is only seen by what does not work.
LISTEN = """
  window.troubles = [];
  const note = (text) => troubles.push(String(text));
  addEventListener("error", ({ message }) => note(message));
  addEventListener("unhandledrejection", ({ reason }) => note(reason));
  addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
    note(`Content-Security-Policy: ${effectiveDirective} ${blockedURI}`));
  console.error = (...words) => note(words.join(" "));
"""


@contextlib.contextmanager
def webkit(program: str, browser: str, folder: Path) -> Iterator[WebKit]:
    """Run the driver, WebKit's smallest browser, and an X server without a screen."""
    with contextlib.ExitStack() as stack:
        display = folder / "display"
        with display.open("wb") as output:
            screen = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
            start(stack, screen, stdout=output, stderr=subprocess.DEVNULL)
        until(lambda: display.read_text().endswith("\n"), STARTS_WITHIN)
        environment = os.environ | {
            "DISPLAY": f":{display.read_text().strip()}",
            "XDG_DATA_HOME": str(folder),
            "XDG_CACHE_HOME": str(folder),
        }
        port = free_port()
        with (folder / "log").open("wb") as output:
            command = [program, f"--port={port}"]
            start(stack, command, env=environment, stdout=output, stderr=output)
        url = f"http://127.0.0.1:{port}"
        until(lambda: http(f"{url}/status")[0] == 200, STARTS_WITHIN)
        session = WebKit(url, browser)
        stack.callback(session.close)
        yield session


def start(stack: contextlib.ExitStack, command: list[str], **options: Any) -> None:
    """Start a program that ends with the stack."""
    process = subprocess.Popen(command, **options)
    stack.callback(process.wait, ANSWERS_WITHIN)
    stack.callback(process.terminate)


class WebKit(Driver):
    """One WebKit."""

    def __init__(self, url: str, browser: str) -> None:
        self._url = f"{url}/session"
        options = {"binary": browser, "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        session = self._ask("POST", "", capabilities={"alwaysMatch": wanted})
        self._url += f"/{session['sessionId']}"

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            self._url + path, method=method, data=json.dumps(body).encode() if body else None
        )
        with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as response:
            return json.load(response)["value"]

    def go(self, url: str) -> None:
        self._ask("POST", "/url", url=url)
        self._ask("POST", "/execute/sync", script=LISTEN, args=[])

    def evaluate(self, expression: str) -> Any:
        return self._ask("POST", "/execute/sync", script=f"return {expression}", args=[])

    def troubles(self) -> list[str]:
        return list(self.evaluate("troubles"))

    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        source = {"type": kind, "id": kind, "actions": actions}
        self._ask("POST", "/actions", actions=[source])

    def close(self) -> None:
        self._ask("DELETE", "")
