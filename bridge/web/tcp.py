"""aiohttp's side of one TCP connection, counted; and what its caller sees when something fails.

A connection that is one too many gets a finished response at once, before it costs anything.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.logs import tell
from bridge.web.assets import SECURITY_HEADERS
from bridge.web.capacity import Capacity, no_room
from bridge.web.frame_meter import MeteredReader

if TYPE_CHECKING:
    from aiohttp._websocket.reader import WebSocketReader

    from bridge.wire.codes import CloseCode

UNREADABLE = (HttpProcessingError, ClientError, web.RequestPayloadError)
"""What aiohttp raises for a body that is not compressed as it says, or ends in the middle."""
LINGER_SECONDS = 1.0
"""For a refused caller to read why: an earlier end could take the answer with it."""
TLS_SHUTDOWN_SECONDS = 3.0
"""To write what is left and hear the end of TLS from the other side."""


class CountedHandler(RequestHandler):
    """aiohttp's side of one TCP connection, which takes a place and gives it back.

    aiohttp ends one whose request does not come in `keepalive_timeout`, also the first one.
    """

    __slots__ = (
        "_address",
        "_capacity",
        "_counters",
        "_refusal",
        "_since",
        "_time",
        "asked",
        "frames_failed",
        "heard",
        "tcp",
    )

    def __init__(self, server: web.Server, capacity: Capacity, counters: Counters) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=capacity.request_timeout,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own runner does the same
        )
        self._capacity, self._counters = capacity, counters
        self._address: str | None = None
        """Where it comes from, as long as it is counted."""
        self._refusal = ""
        """The sentence for one too many."""
        self._time = asyncio.get_running_loop().time
        self._since = self.heard = self._time()
        """When something last came, as `loop.time`."""
        self.tcp: asyncio.Transport | None = None
        """The transport of TCP, which is below that of TLS if there is one."""
        self.asked = False
        """Whether a whole request has come."""
        self.frames_failed: Callable[[CloseCode], None] | None = None
        """Called when a WebSocket is to be closed for the frames that come."""

    def count_in(self, transport: asyncio.Transport) -> None:
        """Count it in; cut it after a moment if it is one too many. `transport` is that of TCP."""
        self.tcp = transport
        peer = transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        self._refusal = self._capacity.count_in(self._address)
        if self._refusal:
            # A refused caller that lingers must not take another's place.
            linger = LINGER_SECONDS if self._capacity.half_empty else 0
            asyncio.get_running_loop().call_later(linger, transport.abort)

    def count_out(self) -> None:
        """Count it out. Idempotent."""
        if self._address is None:
            return
        self._capacity.count_out(self._address)
        self._address = None
        lasted = self._time() - self._since
        silent = not (self.asked or self._refusal)
        if silent and lasted >= self._capacity.request_timeout:
            self._counters.refused["too_late"] += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say why not."""
        super().connection_made(transport)
        if self._address is None and self.transport is not None:
            self.count_in(self.transport)
        if self._refusal:
            self._turn_away(self._refusal)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out."""
        self.count_out()
        super().connection_lost(exc)
        self.tcp = None

    def data_received(self, data: bytes) -> None:
        """Take what came, and note when."""
        self.heard = self._time()
        super().data_received(data)

    def set_parser(
        self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None
    ) -> None:
        """Read frames from now on, the heads of which are looked at first."""
        reader = parser
        failed, self.frames_failed = self.frames_failed, None  # or this would be a circle for good
        if failed is not None:
            reader = MeteredReader(parser, failed)  # type: ignore[assignment]
        super().set_parser(reader, data_received_cb)

    def _turn_away(self, sentence: str) -> None:
        if self.transport is None:
            return
        answer = no_room(sentence)
        text = answer.text or ""
        head = f"HTTP/1.1 503 {answer.reason}\r\nContent-Length: {len(text)}\r\nConnection: close"
        for name, value in answer.headers.items():
            if name not in ("Content-Length", "Connection"):
                head += f"\r\n{name}: {value}"
        self.transport.write(f"{head}\r\n\r\n{text}".encode())
        self.close()  # nothing that comes is read as a request any more

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Log what failed beside a request, unless that is its body, which nobody can read."""
        if not isinstance(kwargs.get("exc_info"), UNREADABLE):
            super().log_exception(*args, **kwargs)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what failed without a word of why: that is in the log if it is a bug of ours."""
        self.asked = True
        if isinstance(exc, ConnectionError):
            raise exc  # the caller has left, which is no bug, and nobody is there to be answered
        if isinstance(exc, UnicodeEncodeError) and "Expect" in request.headers:
            status = 400  # aiohttp repeats that header, without a look at whether it can
        if status == 500:
            tell(events.REQUEST_FAILED, exc)
        if request.writer.output_size > 0:
            raise ConnectionError("part of the response is sent already")
        text = "This is not a request.\n" if status == 400 else "Something went wrong.\n"
        response = web.Response(status=status, text=text, headers=SECURITY_HEADERS)
        response.force_close()
        return response


@web.middleware
async def note_request(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Note on the connection that a request has come by it."""
    _note(request)
    return await handler(request)


async def note_response(request: web.Request, response: web.StreamResponse) -> None:
    """Do the same for a request that aiohttp answers before the middlewares: 417, for one."""
    _note(request)


def _note(request: web.Request) -> None:
    if isinstance(request.protocol, CountedHandler):
        request.protocol.asked = True


class CountedTLS(SSLProtocol):
    """The TLS of one connection, which counts the handler above it in from the first moment on.

    With the `ssl` of `create_server`, asyncio tells of a connection when its handshake is done, so
    that nobody would count those who never begin theirs. Below that, it is the same class.
    """

    max_size = 16384
    """Bytes read at a time, a TLS record: asyncio holds so many for each connection from the start,
    by default 256 KiB."""

    def __init__(
        self, handler: CountedHandler, context: ssl.SSLContext, handshake_timeout: float
    ) -> None:
        super().__init__(
            asyncio.get_running_loop(),
            handler,
            context,
            None,  # type: ignore[arg-type]  # nobody waits for the handshake
            server_side=True,
            ssl_handshake_timeout=handshake_timeout,  # type: ignore[arg-type]  # a float will do
            ssl_shutdown_timeout=TLS_SHUTDOWN_SECONDS,
        )
        self._handler = handler

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in, and begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._handler.count_in(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out, however far it came."""
        self._handler.count_out()
        super().connection_lost(exc)
