"""aiohttp's side of one TCP connection, counted; and what its caller sees when something fails.

A connection that is one too many gets a finished response at once, before it costs anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import ClientError, StreamReader, web
from aiohttp.http import HttpProcessingError

from bridge.outlet import NOWHERE
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.logs import tell
from bridge.web.assets import SECURITY_HEADERS
from bridge.web.capacity import Capacity, no_room_at_all
from bridge.web.frame_meter import MeteredReader, Unmarking
from bridge.web.unread import Unread

if TYPE_CHECKING:
    from aiohttp._websocket.reader import WebSocketReader

    from bridge.wire.codes import CloseCode

UNREADABLE = (HttpProcessingError, ClientError, web.RequestPayloadError)
"""What aiohttp raises for a body that is not compressed as it says, or ends in the middle."""
LINGER_SECONDS = 1.0
"""For a refused caller to read why: an earlier end could take the answer with it."""


class CountedHandler(Unread):
    """aiohttp's side of one TCP connection, which takes a place and gives it back.

    aiohttp ends one that has been idle for long. A request that comes too slowly, or a first one
    that does not come, is ended here: aiohttp has one limit for all of these.
    """

    __slots__ = (
        "_address",
        "_answered",
        "_began",
        "_body",
        "_capacity",
        "_counters",
        "_late",
        "_refusal",
        "_running_loop",
        "_since",
        "address",
        "asked",
        "compressed",
        "frames_failed",
        "heard",
        "inside",
        "lost",
        "outlet",
        "serving",
        "tcp",
    )

    def __init__(
        self, server: web.Server, capacity: Capacity, counters: Counters, *, inside: bool = False
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=capacity.keepalive_timeout,
            tcp_keepalive=False,  # of two hours: whoever is silent is ended long before
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own runner does the same
        )
        self._capacity, self._counters = capacity, counters
        self._address: str | None = None
        """What it is counted as, as long as it is counted."""
        self.address = ""
        """Where it comes from."""
        self.inside = inside
        """Whether it came to the port for operators."""
        self._refusal = ""
        """The sentence for one too many."""
        self._running_loop = asyncio.get_running_loop()
        self._since = self.heard = self._running_loop.time()
        """When something last came, as `loop.time`."""
        self._began, self._answered = self._since, 0.0
        """When the latest request began to come, and when one was last there or answered."""
        self._body: StreamReader | None = None
        """The body of that one, until it is there."""
        self._late: asyncio.TimerHandle | None = None
        """Looks whether that request has come by now."""
        self.tcp: asyncio.Transport | None = None
        """The transport of TCP, which is below that of TLS if there is one."""
        self.asked = False
        """Whether a whole request has come."""
        self.serving = False
        """Whether a request is being answered: those behind it have to wait for that."""
        self.frames_failed: Callable[[CloseCode], None] | None = None
        """Called when a WebSocket is to be closed for the frames that come."""
        self.compressed: Unmarking | None = None
        """Leads frames that may be compressed past aiohttp: see `CompressedRequests`."""
        self.lost: Callable[[BaseException | None], None] | None = None
        """Called when the connection is lost, with what failed, None if nothing did."""
        self.watch(capacity.write_timeout, counters)
        self.outlet = NOWHERE

    @property
    def peername(self) -> str | tuple[str, int, int, int] | tuple[str, int] | None:
        """What `request.remote` is made of: the caller's address, as a balancer has said it."""
        return self.address or None

    def count_in(self, transport: asyncio.Transport) -> None:
        """Count it in; cut it after a moment if it is one too many. `transport` is that of TCP."""
        self.tcp = transport
        peer = transport.get_extra_info("peername")
        self._count_in(str(peer[0]) if peer else "", transport)

    def comes_from(self, address: str) -> None:
        """Count it as one from `address`: so says the balancer whose connection it is."""
        if self._address is not None and self.tcp is not None:
            self._capacity.count_out(self._address)
            self._count_in(address, self.tcp)
            self._turn_away()

    def _count_in(self, address: str, transport: asyncio.Transport) -> None:
        self._address = self.address = address
        self._refusal = self._capacity.count_in(address)
        if self._refusal:
            # A refused caller that lingers must not take another's place.
            linger = LINGER_SECONDS if self._capacity.half_empty else 0
            self._running_loop.call_later(linger, transport.abort)

    def count_out(self) -> None:
        """Count it out. Idempotent."""
        if self._address is None:
            return
        self._capacity.count_out(self._address)
        self._address, silent = None, not (self.asked or self._refusal)
        if silent and self._running_loop.time() - self._since >= self._capacity.request_timeout:
            self._counters.refused["too_late"] += 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or say why not."""
        super().connection_made(transport)
        if self._address is None and self.transport is not None:
            self.count_in(self.transport)
        self._began = self._running_loop.time()
        self._look_later()
        self._turn_away()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out."""
        self.outlet.end()  # first, for the socket is closed whatever fails here
        self.count_out()
        self._body = None
        self.stop_watching()
        if self._late is not None:
            self._late.cancel()
        if self.lost is not None:
            self.lost(exc)
        super().connection_lost(exc)
        self.tcp = None

    def pause_writing(self) -> None:
        """Take note that the transport has to hold what it was given."""
        self.outlet.shut()
        super().pause_writing()

    def data_received(self, data: bytes) -> None:
        """Take what came, and note when."""
        self.heard = self._running_loop.time()
        # aiohttp calls it with nothing, too, to go on after a pause.
        if data and self._began <= self._answered and not (self.switched or self._is_in_body()):
            self._began = self.heard
            if self._late is None:
                self._look_later()
        super().data_received(data)

    def set_parser(
        self, parser: WebSocketReader, data_received_cb: Callable[[], None] | None = None
    ) -> None:
        """Read frames from now on, the heads of which are looked at first."""
        reader: Any = parser
        if self.frames_failed is not None:
            reader = MeteredReader(parser, self.frames_failed, self.compressed)
        super().set_parser(reader, data_received_cb)

    def note(self, body: StreamReader | None = None) -> None:
        """Note that a request is there, or is about to be answered. `body`: what reads its body."""
        self.asked = True
        self._body = body
        self._answered = self._running_loop.time()

    def _is_in_body(self) -> bool:
        """Tell whether the body of a request is still to come: the gate waits for that."""
        if self._body is not None and self._body.is_eof():
            self._body = None
        return self._body is not None

    def _look_later(self) -> None:
        due = self._began + self._capacity.request_timeout
        self._late = self._running_loop.call_at(due, self._look)

    def _look(self) -> None:
        """End the connection if the request that began `request_timeout` ago is not there yet."""
        self._late = None
        if self.switched or self._began <= self._answered:
            return
        if self.serving:
            self._began = self._running_loop.time()
        if self._running_loop.time() < self._began + self._capacity.request_timeout:
            self._look_later()
            return
        if self.asked:  # else `count_out` counts it
            self._counters.refused["too_late"] += 1
        self.force_close()

    def _turn_away(self) -> None:
        if self.transport is not None and self._refusal:
            self.transport.write(no_room_at_all(self._refusal))
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
        self.note()
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
