"""One browser's WebSocket: what is pending for it, and the only writer to it.

Frames go straight to the transport, everything pending joined. `WebSocketResponse.send_str` is not
used after the greeting: it costs a coroutine and a system call per message, and one that waits for
a stalled browser cannot be ended cleanly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.connections.limits import Conduct, Limits
from bridge.connections.losses import Losses
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.web.transport import Socket
from bridge.wire import frames, messages
from bridge.wire.messages import CloseCode

if TYPE_CHECKING:
    from aiohttp import web

    from bridge.access.authentication import Visit
    from bridge.connections.callback import Callback
    from bridge.connections.stall_watch import StallWatch
    from bridge.fanout.audience import Audience
    from bridge.telemetry.metrics import Counters
    from bridge.wire.envelope import Message


class Connection(Losses):
    """A browser that follows patterns. `send` and `respond` never wait and never raise.

    `visit` is who it is for, and until when.
    """

    def __init__(
        self,
        ws: web.WebSocketResponse,
        connection_id: str,
        limits: Limits,
        visit: Visit,
        counters: Counters,
        stall_watch: StallWatch,
        *,
        batch: bool = False,
    ) -> None:
        super().__init__(connection_id, counters)
        self.batch = batch
        self.visit = visit
        self.policy = visit.visitor.policy  # changed by Feeds.change_policy
        self._hanging_up: asyncio.Task[None] | None = None
        self.audience: Audience | None = None
        """Those it shares its patterns with; None while it follows nothing."""
        self.callback: Callback | None = None
        """The program's own code for each message, if it has any."""
        self.changes = asyncio.Lock()
        """Held while a request is carried out: a connection's requests are taken one by one."""
        self.delivered = 0
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()
        self.conduct = Conduct(limits, self.since)
        self._socket = Socket(ws)
        self._ws = ws
        self._transport = self._socket.transport
        self.show_life = self._socket.show_life
        self._size_of_unsent = self._socket.size_of_unsent
        self._max_pending = limits.max_pending_bytes
        self._stall_watch = stall_watch
        self._closed_with: int | None = None
        self.close_reason = ""
        self._pending: list[bytes] = []
        self._pending_bytes = self._pending_messages = 0
        self._written = 0
        self._unsent = 0
        """Bytes the transport held when it was last asked."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """What it follows, oldest first."""
        return self.audience.patterns if self.audience is not None else ()

    @property
    def deliver(self) -> Callable[[Message], None]:
        """What takes a message to it."""
        return self.callback or self.send

    # What goes out

    def write(self, pieces: list[bytes], data: bytes) -> None:
        """Write messages: `data`, which is what `pieces` look like joined."""
        if self._pending:
            self.flush()
        if self._unsent:
            self._unsent = self._size_of_unsent()
        if self._dropped_untold or self._unsent + len(data) > self._max_pending:
            for piece in pieces:
                self._send(piece)
        else:
            self._write(data, len(pieces))

    def send(self, message: Message) -> None:
        """Append `message` to what is pending, or drop and count it while there is no room."""
        self._send(message.line if self.batch else message.frame)

    async def send_str(self, text: str) -> None:
        """Send `text` as a message: what a `manager.callback` calls. It does not wait either."""
        line = text.encode()
        self._send(line if self.batch else frames.text_frame(line))

    def respond(self, line: bytes) -> None:
        """Append a response or a notice; these are never dropped."""
        self._append(line if self.batch else frames.text_frame(line))

    def _send(self, data: bytes) -> None:
        if self._pending and self._pending_bytes + self._unsent >= self._max_pending:
            self.flush()  # to a socket that may have room for all of it
        full = self._dropped_untold or self._unsent >= self._max_pending
        if full and not self.tell_dropped():
            self.miss(1)
            return
        self._pending_messages += 1
        self._append(data)

    def _append(self, data: bytes) -> None:
        if not self._pending:
            self._loop.call_soon(self.flush)
        self._pending.append(data)
        self._pending_bytes += len(data)

    def flush(self) -> None:
        """Write everything pending in one call."""
        pending, self._pending = self._pending, []
        count, self._pending_messages = self._pending_messages, 0
        self._pending_bytes = 0
        if pending:
            data = frames.batch_frames(pending) if self.batch else b"".join(pending)
            self._write(data, count)

    def _write(self, data: bytes, count: int) -> None:
        """Give `data`, which holds `count` messages, to the transport."""
        if self._ws.closed or self._transport.is_closing():
            # Nothing may follow a close frame (RFC 6455, section 5.5.1).
            self.lose(count)
            return
        self._transport.write(data)
        self._written += len(data)
        self.counters.sent_bytes += len(data)
        self.delivered += count
        self.counters.delivered += count
        self._unsent = self._size_of_unsent()
        if self._unsent:
            self._stall_watch.add(self)

    def _tell_later(self) -> None:
        self._stall_watch.add(self)

    # What the stall watch asks

    @property
    def open(self) -> bool:
        """Whether anything can still be written."""
        return self._socket.open

    def taken(self) -> int | None:
        """Return how many bytes the browser has taken in all; None if nothing is held back."""
        self._unsent = self._size_of_unsent()
        if not self._unsent:
            return None
        acknowledged = self._socket.acknowledged()
        return self._written - self._unsent if acknowledged is None else acknowledged

    def tell_dropped(self) -> bool:
        """If there is room, say how many messages were dropped; return whether there is.

        After a drop there is room once half the limit is free: else a slow consumer would get a
        notice before every other message.
        """
        self._unsent = self._size_of_unsent()
        limit = self._max_pending // 2 if self._dropped_untold else self._max_pending
        if self._pending_bytes + self._unsent >= limit:
            return False
        count, self._dropped_untold, self._is_slow = self._dropped_untold, 0, False
        if count:
            self.respond(messages.dropped(count))
        return True

    def cut(self) -> None:
        """End a connection that takes nothing. No close frame could reach it."""
        self._closed_with, self.close_reason = CloseCode.TOOK_NOTHING, "it took nothing"
        tell(events.CONNECTION_STALLED, connection=self.id, pending_bytes=self._unsent)
        self._transport.abort()

    # The end

    @property
    def close_code(self) -> int | None:
        """The code this connection ended with; None while it is open."""
        return self._closed_with or self._ws.close_code

    @property
    def our_code(self) -> int | None:
        """The code we closed it with; None if the browser did, whatever code it gave."""
        return self._closed_with or getattr(self._ws, "our_code", None)

    def hang_up(self, reason: str) -> None:
        """Close since its token counts no more; returns at once."""
        if self._hanging_up is None:
            closing = self.close(CloseCode.TOKEN, reason)
            self._hanging_up = self._loop.create_task(closing)

    async def close(self, code: int, reason: str) -> None:
        """Write what is pending, close with `code`, and cut a browser that does not take it."""
        self.flush()
        if self.close_code is None:
            self._closed_with, self.close_reason = code, reason
        await self._socket.close(code, reason)

    def settle(self) -> None:
        """Have nothing pending any more: what waits is written, or counted as dropped."""
        if self.callback is not None:
            self.callback.stop()
        self.flush()

    def release(self) -> None:
        """Give the socket back, also one whose browser reads nothing. Twice is harmless."""
        self.settle()
        self.callback = None
        self._socket.release()
        if self._episode is not None:
            self._episode.end()

    @property
    def pending_messages(self) -> int:
        """Messages held for it, or for its callback."""
        return self._pending_messages + (self.callback.waiting if self.callback is not None else 0)

    @property
    def pending_bytes(self) -> int:
        """Bytes held for it, its own and those that the transport has not sent."""
        return self._pending_bytes + self._size_of_unsent()

    @property
    def is_full(self) -> bool:
        """Whether an open connection holds all it may hold."""
        return self.open and self.pending_bytes >= self._max_pending
