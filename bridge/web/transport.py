"""The socket under a WebSocket: what aiohttp offers no public or no bounded way to."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from bridge.web import kernel

if TYPE_CHECKING:
    from aiohttp import web

CLOSE_TIMEOUT = 3.0
"""Seconds a browser has to take what is left and to answer a close frame."""


class Socket:
    """The transport of a prepared WebSocket, with a bound on what the kernel holds for it.

    Raises ConnectionResetError if the browser has left already.
    """

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self._ws = ws
        self.transport = _transport_of(ws)
        kernel.bound_buffer(self.transport)
        self.size_of_unsent = kernel.unsent_of(self.transport)
        """Tells how many bytes are still on their way to the kernel."""

    @property
    def open(self) -> bool:
        """Whether anything can still be written."""
        return not (self._ws.closed or self.transport.is_closing())

    def acknowledged(self) -> int | None:
        """Return how many bytes the browser has taken; None if that is not known."""
        return kernel.acknowledged(self.transport)

    def show_life(self) -> None:
        """Take the browser for alive.

        aiohttp waits half a heartbeat for the answer to a ping, and for a slow browser the ping
        stands behind up to `max_pending_bytes`. It has no public way to say so.
        """
        reset = getattr(self._ws, "_reset_heartbeat", None)
        if reset is not None:
            reset()

    async def close(self, code: int, reason: str) -> None:
        """Close with `code`, and cut a browser that does not take it.

        aiohttp's own `close` has no bound on the time until the close frame has left, and a browser
        that reads nothing can put that off for ever.
        """
        self._abort_later()
        with contextlib.suppress(ConnectionError):
            await self._ws.close(code=code, message=reason.encode())

    def release(self) -> None:
        """Give it back, also if the browser reads nothing. Twice is harmless.

        Nor does it stay in a circle of references: memory would come back only with the next
        collection of garbage, and aiohttp keeps the exception of a browser that just vanished.
        """
        failure = self._ws.exception()
        if failure is not None:
            failure.__traceback__ = failure.__context__ = None
        if self.size_of_unsent():
            self._abort_later()

    def _abort_later(self) -> None:
        asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, self.transport.abort)


def _transport_of(ws: web.WebSocketResponse) -> asyncio.Transport:
    """Return the transport under a prepared WebSocket.

    aiohttp offers no public way from the response to it, and the tutorial's
    `client_listener(ws, connection_id)` gets only the response.
    """
    request = ws._req
    if request is None or request.transport is None:
        raise ConnectionResetError("the browser left before its connection was set up")
    return request.transport
