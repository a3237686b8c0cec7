"""One browser's connection: who it is for, what it follows, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.access.login import who_is
from bridge.connections.endings import ENDINGS
from bridge.connections.limited import LimitedOutbox
from bridge.connections.limits import Limits, RequestLimiter
from bridge.connections.outbox import Outbox
from bridge.connections.receiver import Receiver
from bridge.publishing.sender import Sender
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.web.http_stream import HttpStream
from bridge.web.transport import Socket
from bridge.wire.codes import NO_CLOSE_FRAME, CloseCode
from bridge.wire.framing import FRAMES, Framing

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.access.login import Login
    from bridge.connections.stall_watch import StallWatch
    from bridge.fanout.follow import Follow
    from bridge.telemetry.counters import Closed, Counters
    from bridge.web.transport import Written
    from bridge.wire.patterns import PatternSet


class Connection(Receiver):
    """A browser that follows patterns: a member of the hub.

    `login` is who it is for, and until when. What is written to it goes through its `outbox`.
    `limit`: messages after which a response ends; None if it does not, as a WebSocket. `goes_on`:
    whether it does not end with what is stored either: see `end_when`.
    """

    __slots__ = (
        "__weakref__",
        "_closed_with",
        "_counters",
        "_hanging_up",
        "_limits",
        "_loop",
        "_places",
        "_sender",
        "_socket",
        "_ws",
        "changes",
        "close_reason",
        "follows",
        "id",
        "is_told",
        "limiter",
        "login",
        "policy",
        "since",
        "stored",
        "streamed",
    )

    def __init__(
        self,
        ws: Written,
        connection_id: str,
        limits: Limits,
        login: Login,
        counters: Counters,
        stall_watch: StallWatch,
        *,
        framing: Framing = FRAMES,
        limit: int | None = None,
        goes_on: bool = True,
    ) -> None:
        self.id = connection_id
        self.login = login
        self.policy = login.principal.policy
        """What it may follow; changed by `Hub.change_policy` alone."""
        self.follows: dict[str, Follow] = {}
        """What it follows by pattern, oldest first; changed by the hub alone."""
        self.streamed: tuple[str, ...] = ()
        """What it follows of streams; changed by the stream hub alone."""
        self.stored: PatternSet | None = None
        """What comes to it from streams, and so by no pattern that it follows otherwise, if any."""
        self._places: dict[str, bytes] | None = None
        self.changes = asyncio.Lock()
        """Held while a request is carried out: a connection's requests are taken one by one."""
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()
        self.is_told = False
        """Whether it has been counted and logged: not while it can still be refused."""
        self.limiter = RequestLimiter(limits, self.since)
        self._sender: Sender | None = None
        self._ws, self._counters, self._limits = ws, counters, limits
        self._socket = Socket(ws)
        parts = connection_id, self._socket, limits, counters, stall_watch, self._stalled, framing
        if limit is None and goes_on:
            super().__init__(framing, Outbox(*parts))
        else:
            assert isinstance(ws, HttpStream)
            outbox = LimitedOutbox(*parts, limit=limit, enough=ws.ended.set)
            super().__init__(framing, outbox)
        self._hanging_up: asyncio.Task[None] | None = None
        self._closed_with: int | None = None
        self.close_reason = ""

    # What it is

    @property
    def places(self) -> dict[str, bytes]:
        """How far it has streams, as a cursor of each; kept where pieces have ids."""
        if self._places is None:
            self._places = {}
        return self._places

    @property
    def sender(self) -> Sender:
        """Who publishes: made when it is needed, since most connections never publish."""
        if self._sender is None:
            who = who_is(self.login.principal, self.login.address)
            self._sender = Sender(self._limits.publishing, self._loop.time(), who)
        return self._sender

    @property
    def patterns(self) -> tuple[str, ...]:
        """What it follows, oldest first."""
        return *self.follows, *self.streamed

    def may_read(self, pattern: str) -> bool:
        """Tell whether it may have what was before of a pattern that it may follow."""
        return self.login.principal.history.may_read(pattern)

    # The beginning and the end

    def end_when(self, is_done: Callable[[], bool]) -> None:
        """End a response that does not go on as soon as it is told of what makes it done."""
        assert isinstance(self.outbox, LimitedOutbox)
        self.outbox.finish_when(is_done)

    def tell_opened(self) -> None:
        """Count and log that it is there."""
        self.is_told = True
        self._counters.accepted += 1
        who, address = self.login.principal.name, self.login.address
        tell(events.CONNECTION_OPENED, connection=self.id, address=address, who=who)

    def tell_closed(self) -> None:
        """Log how it ended, if it was told of."""
        if not self.is_told:
            return
        tell(
            events.CONNECTION_CLOSED,
            connection=self.id,
            address=self.login.address,
            who=self.login.principal.name,
            code=self.close_code,
            reason=self.close_reason,
            delivered=self.delivered,
            dropped=self.dropped,
            seconds=round(self._loop.time() - self.since, 3),
        )

    @property
    def close_code(self) -> int | None:
        """The code this connection ended with; None while it is open."""
        return self._closed_with or self._ws.close_code

    @property
    def ending(self) -> Closed:
        """What its end is counted as.

        Browsers can give any code as theirs, so that only says whether they said goodbye.
        """
        ours = self._closed_with or getattr(self._ws, "our_code", None)
        if ours is not None:
            return ENDINGS.get(ours, "other")
        return "lost" if self._ws.close_code in (None, NO_CLOSE_FRAME) else "left"

    def hang_up(self, reason: str, code: CloseCode = CloseCode.TOKEN) -> None:
        """Close since its token, or what it was granted, is no longer valid; returns at once."""
        if self._hanging_up is None:
            self._hanging_up = self._loop.create_task(self.close(code, reason))

    async def close(self, code: int, reason: str) -> None:
        """Write what is pending, close with `code`, and cut a browser that does not take it."""
        self.outbox.flush()
        if self.close_code is None:
            self._closed_with, self.close_reason = code, reason
        await self._socket.close(code, reason)

    async def close_if_excessive(self) -> bool:
        """Close a connection that asked too often or too badly; return whether it did."""
        floods = self._sender is not None and self._sender.is_flooding
        code = CloseCode.FLOOD if floods else self.limiter.close_code
        if code is not None:
            await self.close(code, code.name.lower().replace("_", " "))
        return code is not None

    def _stalled(self, pending_bytes: int) -> None:
        self._closed_with, self.close_reason = CloseCode.STALLED, "it took nothing"
        tell(events.CONNECTION_STALLED, connection=self.id, pending_bytes=pending_bytes)

    def settle(self) -> None:
        """Empty the outbox: write what is pending, or count it as dropped."""
        if self.callback is not None:
            self.callback.stop()
        self.outbox.flush()

    def release(self) -> None:
        """Release the socket, even if the browser reads nothing. Idempotent."""
        self.settle()
        self.callback = None
        self._socket.release()
        self.outbox.release()
