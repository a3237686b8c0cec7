"""A browser of the long run that follows a stream: whatever ends its connection, it comes back."""

from __future__ import annotations

import asyncio
import json

from websockets.exceptions import ConnectionClosed

from tests.soak.checker import Findings
from tests.soak.sockets import narrow_socket, reset
from tests.soak.stream_checker import StreamChecker
from tests.support.browser_client import Browser

COMES_BACK = 0.1
"""Seconds after the end of its connection."""


class Reader:
    """Follows patterns of one stream until it leaves, and knows where it was.

    `narrow`: the kernel holds little for it.
    """

    def __init__(
        self,
        stream: str,
        patterns: list[str],
        findings: Findings,
        token: str | None = None,
        *,
        narrow: bool = False,
    ) -> None:
        self.checker = StreamChecker(patterns, findings)
        self.patterns = patterns
        self._stream, self._token, self._narrow = stream, token, narrow
        self._browser: Browser | None = None
        self._may_end = self._leaves = False

    async def follow(self) -> None:
        """Check what comes until it leaves; an end that nobody caused is wrong."""
        while not self._leaves:
            self._may_end = False
            narrow = {"sock": narrow_socket(self._stream)} if self._narrow else {}
            try:
                async with Browser(
                    self._stream, self._token, ping_interval=None, **narrow
                ) as self._browser:
                    await self._ask_and_check(self._browser)
            except (ConnectionClosed, OSError, TimeoutError):
                pass
            self._browser = None
            if not self._may_end:
                self.checker.violated("the connection was ended")
            await asyncio.sleep(COMES_BACK)

    async def _ask_and_check(self, browser: Browser) -> None:
        self.checker.connected()
        await browser.send({"subjects": self.patterns, "history": self.checker.wish})
        async for frame in browser.ws:
            for line in str(frame).split("\n"):
                self.checker.take(json.loads(line))

    async def leave(self) -> None:
        """Close the connection as a page does."""
        self._leaves = self._may_end = True
        if self._browser is not None:
            await self._browser.ws.close()

    def kill(self) -> None:
        """Reset the connection, as a browser that crashes; it comes back."""
        self._may_end = True
        if self._browser is not None:
            reset(self._browser.ws)

    def stop_reading(self) -> None:
        if self._browser is not None:
            self._browser.ws.transport.pause_reading()

    def read_on(self) -> None:
        if self._browser is not None:
            self._browser.ws.transport.resume_reading()
