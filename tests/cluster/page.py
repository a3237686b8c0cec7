"""Browsers that come back, as page/js/client.js does, and check what they get."""

from __future__ import annotations

import asyncio
import json
import random
import time

from websockets.exceptions import WebSocketException

from tests.soak.checker import DOWN, UP, Checker, Findings, Numbers
from tests.support.browser_client import Browser

PATTERN = "cluster.*"
# As in page/js/client.js, in seconds.
SHORTEST_WAIT, LONGEST_WAIT = 0.5, 15.0
PATIENCE = 10.0
STEADY = 10.0
SILENCE = 30.0
"""After so long without a word, the last ten of them after asking for one, nobody is there."""


class Page:
    """One page that is open; `live` goes on until it is cancelled."""

    def __init__(self, stream: str, published: dict[str, Numbers], findings: Findings) -> None:
        self.lost = 0
        """Connections that were ended by others."""
        self.code: int | None = None
        """With which code the last of them was."""
        self.came_back_at = self.flowed_at = 0.0
        """When the first and the latest message came over the connection there is."""
        self.told_down_at = self.told_up_at = 0.0
        self.connection_id = ""
        self._stream = f"{stream}?batch=2"
        self._published = published
        self._findings = findings
        self._browser: Browser | None = None
        self._reloading = False

    async def live(self) -> None:
        """Connect, follow, and come back whenever the connection ends."""
        tries = 0
        while True:
            opened_at = await self._visit()
            if self._reloading:
                self._reloading = False
                continue
            if opened_at and time.monotonic() - opened_at >= STEADY:
                tries = 0
            ceiling = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (tries + 1))
            tries += 1
            await asyncio.sleep(random.uniform(SHORTEST_WAIT, ceiling))

    async def reload(self) -> None:
        """Leave and come anew, as when the reader loads the page again."""
        if self._browser is not None:
            self._reloading = True
            self.flowed_at = 0.0
            await self._browser.ws.close()

    async def _visit(self) -> float:
        """Follow over one connection to its end; return when it was opened, 0.0 if it was not."""
        opened_at = 0.0
        browser = Browser(self._stream, ping_interval=None, open_timeout=PATIENCE)
        try:
            async with browser:
                opened_at = time.monotonic()
                self._browser, self.connection_id = browser, browser.connection_id
                checker, fresh = Checker(self._published, self._findings), True
                await browser.send({"subjects": [PATTERN]})
                while True:
                    for line in (await _next_frame(browser)).split("\x1e"):
                        fresh = self._take(json.loads(line), checker, fresh)
        except (WebSocketException, OSError, TimeoutError):
            pass
        if opened_at and not self._reloading:
            self.lost += 1
            self.code = browser.ws.close_code
        self._browser = None
        return opened_at

    def _take(self, frame: dict[str, object], checker: Checker, fresh: bool) -> bool:
        """Check one object of the wire; return whether no message has come yet."""
        now = time.monotonic()
        checker.take(frame)
        if frame == DOWN:
            self.told_down_at = now
        elif frame == UP:
            self.told_up_at = now
        elif "subject" in frame:
            self.flowed_at = now
            if fresh:
                self.came_back_at = now
            return False
        return fresh


async def _next_frame(browser: Browser) -> str:
    """Return the next frame; cut the connection if nothing comes for too long."""
    try:
        async with asyncio.timeout(SILENCE):
            return str(await browser.ws.recv())
    except TimeoutError:
        browser.kill()
        raise
