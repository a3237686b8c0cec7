"""The socket under a connection: what aiohttp and asyncio offer no public or no bounded way to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

from aiohttp import web

from bridge.outlet import Outlet
from bridge.web.acknowledged import acknowledged
from bridge.web.http_stream import HttpStream
from bridge.web.port import SEND_BUFFER_BYTES
from bridge.web.websocket import CLOSE_TIMEOUT_SECONDS, WebSocket

Written = web.WebSocketResponse | HttpStream
"""What a connection is written by."""


class Socket:
    """The transport of a WebSocket or a response, with a bound on what the kernel holds for it.

    Raises ConnectionResetError if the browser has left already.
    """

    __slots__ = ("outlet", "size_of_unsent", "transport", "ws")

    def __init__(self, ws: Written) -> None:
        self.ws = ws
        self.transport = _transport_of(ws)
        if not isinstance(ws, WebSocket | HttpStream):
            _bound_send_buffer(self.transport)
        self.size_of_unsent = _unsent_of(ws, self.transport)
        """Tells how many bytes are still on their way to the kernel."""
        self.outlet = ws.make_outlet() if isinstance(ws, WebSocket) else Outlet()

    @property
    def open(self) -> bool:
        """Whether anything can still be written."""
        return not (self.ws.closed or self.transport.is_closing())

    def acknowledged(self) -> int | None:
        """Return how many bytes the browser has taken in all; None if that is not known."""
        return acknowledged(self.transport)

    def show_life(self) -> None:
        """Take the browser for alive: a ping to a slow one stands behind all that is pending."""
        if isinstance(self.ws, WebSocket | HttpStream):
            self.ws.show_life()
        else:  # a program of the tutorial may have aiohttp's own heartbeat
            self.ws._reset_heartbeat()

    async def close(self, code: int, reason: str) -> None:
        """Close with `code`, and cut a browser that does not take it."""
        await close_or_abort(self.ws, self.transport, code, reason)

    def release(self) -> None:
        """Release the socket, even if the browser reads nothing. Idempotent."""
        break_circle(self.ws)
        if self.size_of_unsent():
            _abort_later(self.transport)


async def close_or_abort(ws: Written, transport: asyncio.Transport, code: int, reason: str) -> None:
    """Close with `code`, and cut a browser that does not take it in time.

    aiohttp's own `close` has no bound on the time until the close frame has left, and a browser
    that reads nothing can put that off for ever.
    """
    _abort_later(transport)
    with contextlib.suppress(ConnectionError):
        await ws.close(code=code, message=reason.encode())


def break_circle(ws: Written) -> None:
    """Let go of the frames that aiohttp keeps with the exception of a browser that just vanished.

    They hold the connection, so memory would come back only with the next collection of garbage.
    """
    failure = ws.exception()
    if failure is not None:
        failure.__traceback__ = failure.__context__ = None


def _abort_later(transport: asyncio.Transport) -> None:
    asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_SECONDS, transport.abort)


def _transport_of(ws: Written) -> asyncio.Transport:
    """Return the transport under a prepared WebSocket.

    The tutorial's `client_listener(ws, connection_id)` gets only aiohttp's own response, from which
    there is no public way to it.
    """
    if isinstance(ws, WebSocket | HttpStream):
        transport = ws.transport
    else:
        transport = ws._req.transport if ws._req is not None else None
    if transport is None:
        raise ConnectionResetError("the browser left before its connection was set up")
    return transport


def _bound_send_buffer(transport: asyncio.Transport) -> None:
    """Keep the kernel from holding megabytes, where the port is not one of ours."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)


def _unsent_of(ws: Written, transport: asyncio.Transport) -> Callable[[], int]:
    """Return what tells how many bytes `transport` holds, and under TLS also the TCP one below it.

    asyncio's own figure for TLS leaves that out, though the backlog moves there in one go.
    """
    upper = transport.get_write_buffer_size
    tcp = _tcp_below(ws, transport)
    if tcp is None or tcp is transport:
        return upper

    def unsent() -> int:
        try:
            held = upper()
        except AttributeError:
            held = 0  # asyncio's transport of TLS forgets its protocol when it is closed twice
        return held + tcp.get_write_buffer_size()

    return unsent


def _tcp_below(ws: Written, transport: asyncio.Transport) -> asyncio.WriteTransport | None:
    """Return the transport of TCP; for aiohttp's own response there is no public way to it."""
    if isinstance(ws, WebSocket | HttpStream):
        return ws.tcp
    return getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
