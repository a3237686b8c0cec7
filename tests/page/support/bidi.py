"""Firefox as a distribution packs it, over WebDriver BiDi: that needs no program beside it."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.page.support.driver import ANSWERS_WITHIN, STARTS_WITHIN, Driver
from tests.support.servers import until

OPTIONS = ["--headless", "--no-remote", "--remote-debugging-port=0"]
LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


@contextlib.contextmanager
def firefox(program: str, folder: Path) -> Iterator[Firefox]:
    """Run Firefox with a new profile in `folder`."""
    log = folder / "log"
    with log.open("wb") as output:
        command = [program, *OPTIONS, "--profile", folder]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        found = until(lambda: LISTENS.search(log.read_text(errors="replace")), STARTS_WITHIN)
        with connect(f"{found[1]}/session", max_size=None, proxy=None) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        process.wait(ANSWERS_WITHIN)


class Firefox(Driver):
    """One Firefox."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._sent = 0
        self._troubles: list[str] = []
        self._ask("session.new", capabilities={})
        self._ask("session.subscribe", events=["log.entryAdded"])
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its result; events that come before it are noted."""
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=ANSWERS_WITHIN))
            if message["type"] == "event" and message["params"].get("level") == "error":
                self._troubles.append(message["params"]["text"])
            if message.get("id") == self._sent:
                assert message["type"] == "success", message
                return message["result"]

    @contextlib.contextmanager
    def as_new(self) -> Iterator[None]:
        """Be a browser without cookies and storage, with one empty tab, until the block ends."""
        before = self._tab
        user = self._ask("browser.createUserContext")["userContext"]
        tab = self._ask("browsingContext.create", type="tab", userContext=user)
        self._tab = tab["context"]
        yield
        self._ask("browser.removeUserContext", userContext=user)
        self._tab = before

    def go(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        result = self._ask(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self._tab},
            awaitPromise=False,
        )
        assert result["type"] == "success", result
        return json.loads(result["result"].get("value", "null"))

    def troubles(self) -> list[str]:
        self.evaluate("0")  # what was said before this has come by now
        return self._troubles

    def act(self, kind: str, actions: list[dict[str, Any]]) -> None:
        source = {"type": kind, "id": kind, "actions": actions}
        self._ask("input.performActions", context=self._tab, actions=[source])
