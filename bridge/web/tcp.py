"""aiohttp's side of one TCP connection, and what its caller sees when something fails.

A connection that is one too many gets a finished response at once, before it costs anything.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.telemetry.metrics import Counters
from bridge.web.assets import SECURITY_HEADERS
from bridge.web.capacity import Door, refusal

LINGER = 1.0
"""Seconds a refused caller has to read why: an earlier end could take the answer with it."""
GOODBYE = 3.0
"""Seconds to write what is left and hear the end of TLS from the other side."""


class Arrival(RequestHandler):
    """aiohttp's side of one TCP connection, made to go through the door.

    aiohttp ends one whose request does not come in `keepalive_timeout`, also the first one.
    """

    __slots__ = ("_address", "_counters", "_door", "_refusal", "_since")

    def __init__(self, server: web.Server, door: Door, counters: Counters) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=door.request_timeout,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own runner does the same
        )
        self._door, self._counters = door, counters
        self._address: str | None = None
        """Where it comes from, as long as it is counted."""
        self._refusal = ""
        """The sentence for one too many."""
        self._since = self._loop.time()

    def enter(self, transport: asyncio.Transport) -> None:
        """Count it in; cut it after a moment if it is one too many. `transport` is that of TCP."""
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        if not self._door.enter(self._address):
            self._counters.refused_full += 1
            self._door.refusals.add(events.REFUSED_FULL, address=self._address)
            self._refusal = "Try again later."
            self._loop.call_later(0, transport.abort)
        elif self._door.crowded(self._address):
            self._counters.refused_address += 1
            self._door.refusals.add(events.REFUSED_ADDRESS, address=self._address)
            self._refusal = self._door.full_for
            # Those refused must not take, by staying, the room of others.
            linger = LINGER if self._door.half_empty else 0
            self._loop.call_later(linger, transport.abort)

    def leave(self) -> None:
        """Count it out. Twice is harmless."""
        if self._address is None:
            return
        self._door.leave(self._address)
        self._address = None
        lasted = self._loop.time() - self._since
        silent = not (self._request_count or self._refusal)
        if silent and lasted >= self._door.request_timeout:
            self._counters.refused_too_late += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say why not."""
        super().connection_made(transport)
        if self._address is None and self.transport is not None:
            self.enter(self.transport)
        if self._refusal:
            self._turn_away(self._refusal)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out.

        aiohttp keeps a method of the WebSocket that it was: a circle of references, and memory
        would come back only with the next collection of garbage.
        """
        self.leave()
        super().connection_lost(exc)
        self._data_received_cb = None

    def _turn_away(self, sentence: str) -> None:
        if self.transport is None:
            return
        answer = refusal(sentence)
        text = answer.text or ""
        head = f"HTTP/1.1 503 {answer.reason}\r\nContent-Length: {len(text)}\r\nConnection: close"
        for name, value in answer.headers.items():
            if name not in ("Content-Length", "Connection"):
                head += f"\r\n{name}: {value}"
        self.transport.write(f"{head}\r\n\r\n{text}".encode())
        self.close()  # nothing that comes is read as a request any more

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what failed without a word of why: that is in the log if it is a bug of ours."""
        if isinstance(exc, ConnectionError):
            raise exc  # the caller has left, which is no bug, and nobody is there to be answered
        if status == 500:
            tell(events.REQUEST_FAILED, exc)
        if request.writer.output_size > 0:
            raise ConnectionError("part of the response is sent already")
        text = "This is not a request.\n" if status == 400 else "Something went wrong.\n"
        response = web.Response(status=status, text=text, headers=SECURITY_HEADERS)
        response.force_close()
        return response


class TLSArrival(SSLProtocol):
    """The TLS of one connection, which counts the arrival above it in from the first moment on.

    With the `ssl` of `create_server`, asyncio tells of a connection when its handshake is done, so
    that nobody would count those who never begin theirs. Below that, it is the same class.
    """

    max_size = 16384
    """Bytes read at a time, a TLS record: asyncio holds so many for each connection from the start,
    by default 256 KiB."""

    def __init__(self, arrival: Arrival, context: ssl.SSLContext, handshake_timeout: float) -> None:
        super().__init__(
            asyncio.get_running_loop(),
            arrival,
            context,
            None,  # type: ignore[arg-type]  # nobody waits for the handshake
            server_side=True,
            ssl_handshake_timeout=handshake_timeout,  # type: ignore[arg-type]  # a float will do
            ssl_shutdown_timeout=GOODBYE,
        )
        self._arrival = arrival

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in, and begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._arrival.enter(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out, however far it came."""
        self._arrival.leave()
        super().connection_lost(exc)
