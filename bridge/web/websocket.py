"""aiohttp's side of one browser's WebSocket."""

from __future__ import annotations

from aiohttp import WSCloseCode, web

from bridge.connections.limits import HEARTBEAT
from bridge.telemetry.metrics import Counters
from bridge.wire.messages import too_large

CLOSE_TIMEOUT = 2.0
"""Seconds for the answer to a close frame."""


class WebSocket(web.WebSocketResponse):
    """A WebSocket that ends with 1009 when a request of more than `most` bytes comes.

    One that answers no ping ends, too. Nothing is compressed: it would cost 90 KiB for each.
    """

    def __init__(self, most: int, counters: Counters) -> None:
        super().__init__(
            compress=False,
            heartbeat=HEARTBEAT,
            max_msg_size=most + 1,  # aiohttp refuses what has that size
            timeout=CLOSE_TIMEOUT,
        )
        self._most = most
        self.our_code: int | None = None
        """What aiohttp closed it with by itself; None if the browser came first."""
        self._counters = counters

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        """Close; aiohttp does so by itself when what it has read makes no sense or is too large."""
        if code != WSCloseCode.OK and not self.closed:
            self.our_code = code
        if code == WSCloseCode.MESSAGE_TOO_BIG and not self.closed:
            self._counters.refused_too_large += 1
            message = message or too_large(self._most).encode()
        return await super().close(code=code, message=message, drain=drain)
