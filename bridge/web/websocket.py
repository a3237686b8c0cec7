"""aiohttp's side of one browser's WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from bridge.access.authentication import BEARER
from bridge.outlet import Outlet, outlet_of
from bridge.web.compressed_requests import CompressedRequests
from bridge.web.tcp import CountedHandler
from bridge.wire.codes import CloseCode
from bridge.wire.frames import PING, text_frame
from bridge.wire.responses import too_large

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter

    from bridge.telemetry.counters import Counters
    from bridge.wire.compression import Compression
    from bridge.wire.framing import Framing

CLOSE_TIMEOUT_SECONDS = 3.0
"""For a browser to take what is left and to answer a close frame."""
_REASONS = {
    CloseCode.PROTOCOL_ERROR: b"a browser masks its frames",
    CloseCode.FLOOD: b"too many control frames or fragments",
}
_FLOODS = (CloseCode.FLOOD, CloseCode.TOO_MANY_BAD_REQUESTS)


class WebSocket(web.WebSocketResponse):
    """A WebSocket that ends with 1009 when a request of more than `max_request_bytes` comes.

    `flooded` is called when it is closed for a flood, be it of requests that make no sense.
    `compression`: what may be agreed on with the browser. aiohttp's own is not used: it would cost
    90 KiB for each, and compress for each. `heartbeat.Heartbeat` pings it.
    """

    # With these among aiohttp's own attributes, Python would not share their names.
    __slots__ = (
        "_closing_for",
        "_counters",
        "_flooded",
        "_handler",
        "_head",
        "_max_request_bytes",
        "_offered_to",
        "_packed",
        "our_code",
        "transport",
        "window_bits",
    )

    _send_headers_immediately = False  # but with the first text, in one write

    def __init__(
        self,
        max_request_bytes: int,
        counters: Counters,
        flooded: Callable[[], None],
        compression: Compression,
    ) -> None:
        super().__init__(
            compress=False,
            max_msg_size=max_request_bytes + 1,  # aiohttp refuses what has that size
            timeout=CLOSE_TIMEOUT_SECONDS,
            protocols=(BEARER,),
        )
        self._max_request_bytes = max_request_bytes
        self.our_code: int | None = None
        """What aiohttp closed it with by itself; None if the browser came first."""
        self.transport: asyncio.Transport | None = None
        """What it writes to, once it is prepared."""
        self.window_bits = 0
        """Of what may be written compressed; 0 if nothing may."""
        self._offered_to = compression  # aiohttp has a `_compression` of its own
        self._packed: CompressedRequests | None = None
        """Where requests may come compressed."""
        self._handler: CountedHandler | None = None
        self._head: AbstractStreamWriter | None = None
        """What holds the head of the response until it is sent."""
        self._counters = counters
        self._flooded = flooded
        self._closing_for: asyncio.Task[None] | None = None

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Upgrade. Raises ConnectionResetError if the browser has left already."""
        if self._handler is None:  # aiohttp prepares it again in the end
            assert isinstance(request.protocol, CountedHandler)
            self._handler = request.protocol
            self._handler.frames_failed = self._close_for
            self._agree(request)
        try:
            writer = await super().prepare(request)
        finally:
            # Or this would be a circle.
            self._handler.frames_failed = self._handler.compressed = None
        if request.transport is None:
            raise ConnectionResetError("the browser left before its connection was set up")
        self.transport = request.transport
        self._head = writer
        asyncio.get_running_loop().call_soon(self._send_head)
        self._handler.forget(request)
        self.headers.clear()  # they are sent
        self.show_life()
        return writer

    def _agree(self, request: web.BaseRequest) -> None:
        """Agree on compression, if the browser offers it and it is on."""
        offered = request.headers.getall("Sec-WebSocket-Extensions", ())
        agreement = self._offered_to.agree(",".join(offered))
        if agreement is not None:
            self.window_bits = agreement.window_bits
            self._packed = CompressedRequests(self._max_request_bytes)
            self.headers["Sec-WebSocket-Extensions"] = agreement.answer
            assert self._handler is not None
            self._handler.compressed = self._packed

    def _send_head(self) -> None:
        """Send the head of the response, if no text was sent with it. Idempotent."""
        writer, self._head = self._head, None
        if writer is not None:
            with contextlib.suppress(ConnectionError):
                writer.send_headers()

    async def send_str(self, data: str, compress: int | None = None) -> None:
        """Send a text; the first one together with the head, if it comes at once."""
        writer, self._head = self._head, None
        if writer is None or self.closed:
            await super().send_str(data, compress)
        else:
            await writer.write(text_frame(data.encode()))

    def framing(self, plain: Framing) -> Framing:
        """Return `plain`, or what takes its place where compression was agreed on."""
        return self._offered_to.framing(plain, self.window_bits)

    async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109  aiohttp's
        """Return the next message, as the browser meant it, or how it ended."""
        message = await super().receive(timeout)
        if self._packed is None or message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return message
        try:
            return self._packed.take(message)
        except WebSocketError as error:
            await self._end(error.code, str(error).encode())
            return WSMessage(WSMsgType.ERROR, error, None)

    @property
    def tcp(self) -> asyncio.Transport | None:
        """The transport below TLS, or else the same as `transport`."""
        return self._handler.tcp if self._handler is not None else None

    def make_outlet(self) -> Outlet:
        """Return where others may write straight to its socket: nowhere under TLS."""
        if self._handler is None or self.transport is None or self.tcp is not self.transport:
            return Outlet()
        self._handler.outlet = outlet_of(self.transport)
        return self._handler.outlet

    @property
    def heard(self) -> float:
        """When something last came from the browser, a pong included, as `loop.time`."""
        return self._handler.heard if self._handler is not None else 0.0

    def show_life(self) -> None:
        """Take the browser for alive, since something came from it, or it has taken something."""
        if self._handler is not None:
            self._handler.heard = asyncio.get_running_loop().time()

    def send_ping(self) -> None:
        """Send a ping, behind all that is pending. It does not wait."""
        if self.transport is not None and not (self.closed or self.transport.is_closing()):
            self.transport.write(PING)

    def abort(self) -> None:
        """End the connection at once."""
        if self.transport is not None:
            self.transport.abort()

    def _close_for(self, code: CloseCode) -> None:
        """Close for the frames that come, of which no further one is read."""
        loop = asyncio.get_running_loop()
        self._closing_for = loop.create_task(self._end(code, _REASONS[code]))

    async def _end(self, code: int, reason: bytes) -> None:
        """Close. Raises nothing."""
        with contextlib.suppress(ConnectionError):
            await self.close(code=code, message=reason)

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        """Close; aiohttp does so by itself when what it has read makes no sense or is too large.

        With `drain`, a browser that does not take in time what is left is cut.
        """
        if self._handler is not None:
            self._handler.outlet.end()  # nothing may follow the close frame
        if drain and not self.closed:
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_SECONDS, self.abort)
        if code in _FLOODS and self.our_code is None:
            self._flooded()
        if code != WSCloseCode.OK and not self.closed:
            self.our_code = code
        if code == WSCloseCode.MESSAGE_TOO_BIG and not self.closed:
            self._counters.refused["too_large"] += 1
            message = message or too_large(self._max_request_bytes).encode()
        self._send_head()
        return await super().close(code=code, message=message, drain=drain)
