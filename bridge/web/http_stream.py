"""A response to a GET that goes on: server-sent events, or lines of JSON.

It offers what a connection needs of a WebSocket: it is open or closed, has a transport, shows life.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import HttpVersion11, web

from bridge.web.accept import takes_gzip
from bridge.web.acknowledged import acknowledged
from bridge.web.held_transport import HeldTransport, ZippedTransport
from bridge.web.tcp import CountedHandler
from bridge.wire import event_stream, responses
from bridge.wire.codes import NO_CLOSE_FRAME
from bridge.wire.framing import (
    EVENTS,
    EVENTS_UNCHUNKED,
    JSON_LINES,
    JSON_LINES_UNCHUNKED,
    Framing,
)
from bridge.wire.stream_query import LAST_EVENT_ID

if TYPE_CHECKING:
    from bridge.wire.compression import Compression

IDLE_SECONDS = 12.5
"""After which something is written where no message comes, so that 15 seconds never pass without.

The heartbeat looks `CHECKS_PER_INTERVAL` times in that time, so it may be a tenth late.
Proxies cut what is silent for long, most after a minute.
"""
RETRY_MILLISECONDS = (1000, 3000)
"""For browsers to come back after the end, each at its own time: a restart ends all at once."""
ENDED = 1000
"""What stands for a close code where a response ended as it should."""


class Form(NamedTuple):
    """A kind of response. `idle`: what is written where no message is to come."""

    content_type: str
    framing: Framing
    unchunked: Framing
    idle: bytes
    has_retry: bool


EVENT_STREAM = Form("text/event-stream", EVENTS, EVENTS_UNCHUNKED, event_stream.COMMENT, True)
NDJSON = Form("application/x-ndjson", JSON_LINES, JSON_LINES_UNCHUNKED, b"\n", False)


class HttpStream(web.StreamResponse):
    """The response. Its head is sent by `begin`, so that until then it can be refused instead.

    `compression`: what makes gzip of it for whoever takes that. Raises ConnectionResetError if the
    caller has left already.
    """

    def __init__(self, request: web.Request, form: Form, compression: Compression) -> None:
        headers = {
            "Content-Type": form.content_type,
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
        }
        super().__init__(headers=headers)
        self.force_close()
        assert isinstance(request.protocol, CountedHandler)
        if request.transport is None:
            raise ConnectionResetError("the caller has left")
        self._request, self._handler, self._form = request, request.protocol, form
        self._below = request.transport
        plain = form.framing if request.version >= HttpVersion11 else form.unchunked
        self.framing = plain
        """How it is written to."""
        self.transport = HeldTransport(request.transport)
        zipped = compression.zipped(plain)
        if zipped is not None:
            self.headers["Vary"] = "Accept-Encoding"
            if takes_gzip(",".join(request.headers.getall("Accept-Encoding", ()))):
                self.headers["Content-Encoding"] = "gzip"
                self.framing = zipped
                self.transport = ZippedTransport(request.transport, plain.join)
        self.is_head_only = request.method == "HEAD"
        """Whether nothing but the head is asked for."""
        self.last_event_id = request.headers.get(LAST_EVENT_ID, "")
        """Of an event that whoever asks has had before."""
        self.close_code: int | None = None
        """What it ended with, as a WebSocket would have; None while it is open."""
        self.ended = asyncio.Event()
        """Set when there is nothing more to wait for."""
        self._begun = self._is_ended = False
        self._taken: int | None = 0
        self._heard = 0.0
        self._is_pinged = False
        """Whether it was, since it was last seen to take something."""
        self.show_life()
        self._handler.lost = self._lost

    # What a connection needs

    @property
    def closed(self) -> bool:
        """Whether nothing more may be written."""
        return self.close_code is not None

    @property
    def tcp(self) -> asyncio.Transport | None:
        """The transport below TLS; None without TLS."""
        tcp = self._handler.tcp
        return None if tcp is self._below else tcp

    def exception(self) -> BaseException | None:
        """Return what a WebSocket would have failed with: a response reads nothing."""
        return None

    async def close(self, *, code: int, message: bytes) -> None:
        """Say why in a last event, and when to come back, and end the response. Idempotent."""
        if self.closed:
            return
        self.close_code = code
        try:
            await self._begin()
            last = self.framing.notice(responses.closed(code, message.decode()))
            self._write([self._retry(), last])
            await self.write_eof()
        finally:
            self.ended.set()

    # The life of the response

    def greet(self, line: bytes) -> None:
        """Have the response begin with when to come back, and a notice."""
        self._write([self._retry(), self.framing.notice(line)])

    async def begin(self) -> None:
        """Send the head, and what has been written so far. Raises ConnectionError if they left."""
        if not self.closed:
            await self._begin()

    def give_up(self) -> None:
        """Have nothing of it sent, since it is refused before it has begun."""
        self.close_code = ENDED
        self.transport.forget()

    async def finish(self) -> None:
        """End the response as it should. Raises ConnectionError if the caller has left."""
        if not self.closed:
            self.close_code = ENDED
            await self.write_eof()

    def release(self) -> None:
        """Let go of the connection, so that no circle of references stays behind. Idempotent."""
        self._handler.lost = None

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self._handler.switched = True
            await self.prepare(self._request)
            self.transport.release()

    async def write_eof(self, data: bytes = b"") -> None:
        """End the response, as whoever reads it can tell. Idempotent."""
        if self._begun and not self._is_ended:
            self._is_ended = True
            self.transport.end()
        await super().write_eof(data)

    def _write(self, pieces: list[bytes]) -> None:
        self.transport.write(self.framing.join_alone(pieces))

    def _retry(self) -> bytes:
        if not self._form.has_retry:
            return b""
        return event_stream.retry(random.randint(*RETRY_MILLISECONDS))  # noqa: S311  no secret

    def _lost(self, failure: BaseException | None) -> None:
        if not self.closed:
            self.close_code = ENDED if failure is None else NO_CLOSE_FRAME
        self.ended.set()

    # What the heartbeat needs

    @property
    def heard(self) -> float:
        """When the caller was last seen to take something, as `loop.time`."""
        taken = acknowledged(self.transport)
        # Where that is not known, what the system has taken counts.
        if taken != self._taken or not self._begun or (taken is None and self._is_pinged):
            self._taken = taken
            self._is_pinged = False
            self.show_life()
        return self._heard

    def show_life(self) -> None:
        """Take the caller for alive, since it has taken something."""
        self._heard = asyncio.get_running_loop().time()

    def send_ping(self) -> None:
        """Write what is no message, behind all that is pending. It does not wait."""
        if self._begun and not (self.closed or self.transport.is_closing()):
            self._is_pinged = True
            self._write([self._form.idle])

    def abort(self) -> None:
        """End the connection at once: nothing is taken there any more."""
        if not self.closed:
            self.close_code = NO_CLOSE_FRAME
        self.transport.abort()


_STATUSES = {"denied": 403, "no_history": 404, "limit": 429, "rate_limited": 429}


def refused(refusal: responses.Refusal) -> web.Response:
    """Return the answer to a request of which nothing can be granted.

    No HTTPException: aiohttp keeps that in a circle, and with it what was on the way to it.
    """
    return web.Response(status=_STATUSES.get(refusal.code, 400), text=f"{refusal}\n")
