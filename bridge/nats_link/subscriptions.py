"""What the fan-out is subscribed to: asked for in batches, each before one PING.

nats-py makes a queue and a task for each subscription, of which the fan-out needs neither: here, a
subscription is an entry of a table. So it is also replayed here, after a reconnect.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from nats import errors

from bridge.nats_link.batch import Batch

if TYPE_CHECKING:
    from bridge.nats_link.tapped import Tapped
    from bridge.wire.codes import Code

ANSWER_TIMEOUT_SECONDS = 2.0
"""For the NATS server to answer a PING."""
REPLAY_BATCH = 100
"""SUBs before one PING after a reconnect: so many are asked for again if one is not accepted."""

_BREAKS_THE_LINE = re.compile(r"\s|^$", re.ASCII)


class Wire(Protocol):
    """The connection as it is used here; what is queued is sent in its order."""

    @property
    def is_connected(self) -> bool:
        """Whether something may be queued."""

    def next_sid(self) -> int:
        """Return an id that no subscription has had."""

    def queue(self, command: bytes) -> None:
        """Queue a command; never waits."""

    def queue_ping(self, answered: asyncio.Future[bool]) -> None:
        """Queue a PING; its PONG, or the loss of the connection, ends `answered`."""


class Subscriptions:
    """The subscriptions of one connection and the next: `taps` has them by their id."""

    def __init__(self, wire: Wire) -> None:
        self.taps: dict[int, Tapped] = {}
        self._wire = wire
        self._open: Batch | None = None
        """What is asked for in this turn of the event loop."""
        self._unanswered: deque[Batch] = deque()
        """In the order of their PINGs."""
        self._replaying: asyncio.Task[None] | None = None

    async def subscribe_all(self, taps: Sequence[Tapped]) -> list[int]:
        """Ask for all at once, and wait until the server has accepted or refused each."""
        if not taps:
            return []
        self._check(taps)
        batch = self._of_this_turn()
        sids = [self._ask(batch, tap) for tap in taps]
        try:
            await _end_of(batch.settled)
        except BaseException:
            for sid in sids:
                self.unsubscribe(sid)
            raise
        return sids

    def unsubscribe(self, sid: int) -> None:
        """Queue UNSUB, if that is still to be done."""
        if self.taps.pop(sid, None) is not None and self._wire.is_connected:
            self._wire.queue(b"UNSUB %d\r\n" % sid)

    async def round_trip(self) -> None:
        """Wait for the PONG to the PING of this turn."""
        if not self._wire.is_connected:
            raise errors.ConnectionReconnectingError
        await _end_of(self._of_this_turn().answered)

    def replay(self) -> None:
        """Queue every SUB, on a new connection."""
        rest = iter(tuple(self.taps.items()))
        batches = []
        while asked := dict(islice(rest, REPLAY_BATCH)):
            batch = self._add_batch()
            for sid, tap in asked.items():
                self._queue_sub(batch, sid, tap)
            self._wire.queue_ping(batch.answered)
            batches.append(batch)
        if batches:
            self._replaying = asyncio.get_running_loop().create_task(self._settle_all(batches))

    def refused(self, code: Code, subject: str | None = None, sid: int | None = None) -> None:
        """Take a refusal of the server: of a subscription that is there, or of a SUB just sent.

        Where it names nobody we know, it is about some SUB before the next PONG.
        """
        if sid is not None:
            self._refuse(sid, code)
            return
        batch = self._next_to_be_answered()
        named = batch.named(subject) if batch is not None and subject is not None else []
        # Taken away later, by a server that does not name the id.
        named = named or [sid for sid, tap in self.taps.items() if tap.pattern == subject]
        for sid in named:
            self._refuse(sid, code)
        if batch is not None and not named:
            batch.strangers.append(code)

    def _check(self, taps: Sequence[Tapped]) -> None:
        if not self._wire.is_connected:
            raise errors.ConnectionReconnectingError
        if any(_BREAKS_THE_LINE.search(tap.pattern) for tap in taps):
            raise errors.BadSubjectError

    def _ask(self, batch: Batch, tap: Tapped) -> int:
        sid = self._wire.next_sid()
        self.taps[sid] = tap
        self._queue_sub(batch, sid, tap)
        return sid

    def _queue_sub(self, batch: Batch, sid: int, tap: Tapped) -> None:
        batch.taps[sid] = tap
        self._wire.queue(b"SUB %b %d\r\n" % (tap.pattern.encode(), sid))

    def _add_batch(self) -> Batch:
        batch = Batch()
        self._unanswered.append(batch)
        return batch

    def _of_this_turn(self) -> Batch:
        if self._open is None:
            self._open = self._add_batch()
            asyncio.get_running_loop().call_soon(self._close_turn)
        return self._open

    def _close_turn(self) -> None:
        batch, self._open = self._open, None
        if batch is not None:
            if self._wire.is_connected:
                self._wire.queue_ping(batch.answered)
            else:
                batch.lose()
            batch.settling = asyncio.get_running_loop().create_task(self._settle(batch))

    async def _settle_all(self, batches: list[Batch]) -> None:
        for batch in batches:
            await self._settle(batch)

    async def _settle(self, batch: Batch) -> None:
        """Wait for the answer to a batch; blame each SUB that was not accepted."""
        try:
            await batch.answered
            if batch.strangers:
                await self._blame(batch)
        except errors.Error as lost:
            batch.end(lost)
        else:
            batch.end()

    async def _blame(self, batch: Batch) -> None:
        """Find whom the errors without a known name are about, and refuse those."""
        if batch.all_are_refused:
            for sid in batch.taps:
                self._refuse(sid, batch.strangers[-1])
            return
        singles = [self._ask_alone(sid, tap) for sid, tap in tuple(batch.taps.items())]
        for single in singles:
            await single.answered
            if single.strangers:
                await self._blame(single)

    def _ask_alone(self, sid: int, tap: Tapped) -> Batch:
        """Take a SUB back and queue it again, before a PING of its own."""
        single = self._add_batch()
        if sid in self.taps:
            self._wire.queue(b"UNSUB %d\r\n" % sid)
            self._queue_sub(single, sid, tap)
        self._wire.queue_ping(single.answered)
        return single

    def _next_to_be_answered(self) -> Batch | None:
        while self._unanswered and self._unanswered[0].answered.done():
            self._unanswered.popleft()
        return self._unanswered[0] if self._unanswered else None

    def _refuse(self, sid: int, code: Code) -> None:
        tap = self.taps.get(sid)
        if tap is not None:
            self.unsubscribe(sid)
            tap.refuse(code)


async def _end_of(future: asyncio.Future[bool]) -> None:
    """Wait for a future that others wait for as well. Raises TimeoutError."""
    await asyncio.wait({future}, timeout=ANSWER_TIMEOUT_SECONDS)
    if not future.done():
        raise TimeoutError("NATS does not answer")
    future.result()
