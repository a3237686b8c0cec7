"""The outbox of one connection: what is pending for it, and what writes all that no group writes.

Frames go straight to the transport, everything pending joined. `WebSocketResponse.send_str` is not
used after the greeting: it costs a coroutine and a system call per message, and one that waits for
a stalled browser cannot be ended cleanly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.connections.slow_consumer import SlowConsumer
from bridge.fanout.group import MAX_DIRECT_BYTES
from bridge.wire import responses

if TYPE_CHECKING:
    from bridge.connections.limits import Limits
    from bridge.connections.stall_watch import StallWatch
    from bridge.telemetry.counters import Counters
    from bridge.web.transport import Socket
    from bridge.wire.framing import Framing


class Outbox:
    """Holds at most `limits.max_pending_bytes`, and drops and counts messages on top of that.

    Responses and notices are always held; a larger message goes out if nothing at all is. Nothing
    here waits or raises. `stalled` is called, once, for a browser that takes nothing.
    """

    __slots__ = (
        "__weakref__",
        "_bytes",
        "_counters",
        "_join",
        "_loop",
        "_mark",
        "_max_pending",
        "_notice",
        "_pending",
        "_size_of_unsent",
        "_socket",
        "_stall_watch",
        "_stalled",
        "_transport",
        "_unsent",
        "_written",
        "_ws",
        "outlet",
        "pending_messages",
        "slow",
    )

    def __init__(
        self,
        connection_id: str,
        socket: Socket,
        limits: Limits,
        counters: Counters,
        stall_watch: StallWatch,
        stalled: Callable[[int], None],
        framing: Framing,
    ) -> None:
        self.slow = SlowConsumer(connection_id, self, counters)
        self.outlet = socket.outlet
        if limits.max_pending_bytes < MAX_DIRECT_BYTES:
            self.outlet.end()  # what is left of what groups write might be too much
        self.pending_messages = 0
        """Messages that are pending, without responses and notices."""
        self._notice, self._join = framing.notice, framing.join_alone
        self._mark = framing.mark
        self._loop = asyncio.get_running_loop()
        self._socket = socket
        self._ws, self._transport = socket.ws, socket.transport
        self._size_of_unsent = socket.size_of_unsent
        self._max_pending = limits.max_pending_bytes
        self._counters = counters
        self._stall_watch = stall_watch
        self._stalled = stalled
        self._pending: list[bytes] = []
        self._bytes = 0
        """Bytes of what is pending."""
        self._written = 0
        self._unsent = 0
        """Bytes the transport held when it was last asked."""

    # What goes out

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        """Write messages: `joined` is what `pieces` look like together, or what is left of that."""
        if self._pending:
            self.flush()
        if self._unsent:
            self._unsent = self._size_of_unsent()
        if self.slow.untold or self._unsent + len(joined) > self._max_pending:
            # Never so with what is left: that comes only while nothing is held or untold.
            for piece in pieces:
                self.append_message(piece)
        else:
            self._write(joined, len(pieces))

    def offer(self, pieces: list[bytes], joined: bytes) -> bool:
        """Do what `deliver` does if there is room for all of it; else do nothing, return False.

        One message that is larger than what may be pending has room where nothing is.
        """
        if self._pending:
            self.flush()
        held = self._unsent = self._size_of_unsent()
        if (held or len(pieces) > 1) and held + len(joined) > self._max_pending:
            return False
        if self.slow.untold and not self.tell_dropped(len(joined)):
            return False
        self.deliver(pieces, joined)
        return True

    def append_message(self, piece: bytes) -> None:
        """Append a message to what is pending, or drop and count it while there is no room."""
        size = len(piece)
        held = self._bytes + self._unsent
        if (held and held + size > self._max_pending) or self.slow.untold:
            if self._pending and held + size > self._max_pending:
                self.flush()  # to a socket that may have room for all of it
            if not self.tell_dropped(size):
                self.slow.miss(1)
                return
        self.pending_messages += 1
        # Inlined from append_line: callbacks come here for every message and client.
        if not self._pending:
            self._flush_soon()
        self._pending.append(piece)
        self._bytes += size

    def append_line(self, line: bytes, cursor: bytes = b"") -> None:
        """Append a response or a notice; these are never dropped. `cursor`: for its id."""
        piece = self._notice(line)
        if cursor and self._mark:
            piece = self._mark(piece, cursor)
        if not self._pending:
            self._flush_soon()
        self._pending.append(piece)
        self._bytes += len(piece)

    def _flush_soon(self) -> None:
        self.outlet.shut()
        self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write everything pending in one call."""
        pending, self._pending = self._pending, []
        count, self.pending_messages = self.pending_messages, 0
        self._bytes = 0
        if pending:
            self._write(self._join(pending), count)

    def _write(self, data: bytes, count: int) -> None:
        """Give `data`, which holds `count` messages, to the transport."""
        if self._ws.closed or self._transport.is_closing():
            # Nothing may follow a close frame (RFC 6455, section 5.5.1).
            self.slow.lose(count)
            return
        self._transport.write(data)
        self._written += len(data)
        self._counters.sent_bytes += len(data)
        self.outlet.delivered += count
        self._counters.delivered += count
        self._unsent = self._size_of_unsent()
        if self._unsent:
            self._stall_watch.add(self)
        elif not self.slow.untold:
            self.outlet.open()

    # What it holds

    @property
    def open(self) -> bool:
        """Whether anything can still be written."""
        return self._socket.open

    @property
    def pending_bytes(self) -> int:
        """Bytes that are pending, and those that the transport has not sent."""
        return self._bytes + self._size_of_unsent()

    @property
    def is_full(self) -> bool:
        """Whether it is open and holds all it may hold."""
        return self.open and self.pending_bytes >= self._max_pending

    @property
    def is_half_free(self) -> bool:
        """Whether no more than half of what may be pending is."""
        return self.pending_bytes <= self._max_pending // 2

    def has_room(self, size: int) -> bool:
        """Tell whether so many bytes may be held, too; more than the limit if nothing at all is."""
        held = self.pending_bytes
        return not held or held + size <= self._max_pending

    # What the stall watch asks

    def taken(self) -> int | None:
        """Return how many bytes the browser has taken in all; None if nothing is held back."""
        self._unsent = self._size_of_unsent()
        if not self._unsent:
            return None
        acknowledged = self._socket.acknowledged()
        # Where that is not known, what groups wrote straight to the outlet is not in it.
        return self._written - self._unsent if acknowledged is None else acknowledged

    def show_life(self) -> None:
        """Take the browser for alive, since it takes something."""
        self._socket.show_life()

    def tell_later(self) -> None:
        """Tell what was dropped before the next message, or once there is room if none comes."""
        self.outlet.shut()
        self._stall_watch.add(self)

    def tell_dropped(self, size: int = 0) -> bool:
        """If there is room, for `size` bytes more, say how many messages were dropped.

        Returns whether there is. After a drop there is room once half the limit is free: else a
        slow consumer would get a notice before every other message.
        """
        self._unsent = self._size_of_unsent()
        limit = self._max_pending // 2 if self.slow.untold else self._max_pending
        held = self._bytes + self._unsent
        if held and (held >= limit or held + size > self._max_pending):
            return False
        count = self.slow.take_untold()
        if count:
            self.append_line(responses.dropped(count))
        return True

    def release(self) -> None:
        """Let go of the connection, so that no circle of references stays behind. Idempotent."""
        self._stalled = _ignore
        self.slow.release()

    def abort(self) -> None:
        """End a connection that takes nothing. No close frame could reach it."""
        self._stalled(self._unsent)
        self._transport.abort()


def _ignore(pending_bytes: int) -> None:
    pass
