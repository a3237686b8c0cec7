"""SUBs and PINGs on their way to the server, and whom its errors are about."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from nats import errors

from bridge.nats_link.batch import Batch

if TYPE_CHECKING:
    from bridge.nats_link.suspects import Suspects
    from bridge.nats_link.tapped import Tapped
    from bridge.wire.codes import Code

Sub = tuple[int, "Tapped"]
"""A subscription: its id and its tap."""


class Wire(Protocol):
    """The connection; what is queued is sent in its order."""

    @property
    def is_connected(self) -> bool:
        """Whether something may be queued."""

    def next_sid(self) -> int:
        """Return an id that no subscription has had."""

    def queue(self, command: bytes) -> None:
        """Queue a command; never waits."""

    def queue_ping(self, answered: asyncio.Future[bool]) -> None:
        """Queue a PING; its PONG, or the loss of the connection, ends `answered`."""


class Asking:
    """Batches of SUBs, in the order of their PINGs, until each is settled.

    `refuse` is called for each subscription that the server does not accept; one that is not in
    `taps` any more has been given up.
    """

    def __init__(
        self,
        wire: Wire,
        taps: Mapping[int, Tapped],
        suspects: Suspects,
        refuse: Callable[[int, Code], None],
    ) -> None:
        self._wire = wire
        self._taps = taps
        self._suspects = suspects
        self._refuse = refuse
        self._of_this_turn: Batch | None = None
        self._unanswered: deque[Batch] = deque()

    def together(self, subs: Iterable[Sub] = ()) -> Batch:
        """Queue SUBs, before the one PING of this turn of the event loop."""
        batch = self._of_this_turn
        if batch is None:
            batch = self._of_this_turn = self._add_batch(None)
            asyncio.get_running_loop().call_soon(self._close_turn)
        self._queue(batch, subs)
        return batch

    def at_once(self, subs: Iterable[Sub], company: int | None = None) -> Batch:
        """Queue SUBs and a PING of their own."""
        self._close_turn()  # or its errors would come before this one's PONG, its own PONG after
        batch = self._add_batch(company)
        self._queue(batch, subs)
        self._ping(batch)
        return batch

    def next_to_be_answered(self) -> Batch | None:
        """Return the batch that an error is about: the next PONG is for its PING."""
        while self._unanswered and self._unanswered[0].answered.done():
            self._unanswered.popleft()
        return self._unanswered[0] if self._unanswered else None

    def lost(self) -> None:
        """Take note that the connection is lost. Idempotent."""
        unanswered = [each for each in self._unanswered if not each.answered.done()]
        self._unanswered.clear()
        together = sum(len(each.taps) for each in unanswered)
        for batch in unanswered:
            self._suspects.lost(batch.patterns, batch.company or together)
            batch.lose()

    def _add_batch(self, company: int | None) -> Batch:
        batch = Batch(company)
        self._unanswered.append(batch)
        return batch

    def _queue(self, batch: Batch, subs: Iterable[Sub]) -> None:
        for sid, tap in subs:
            batch.taps[sid] = tap
            self._wire.queue(b"SUB %b %d\r\n" % (tap.pattern.encode(), sid))

    def _close_turn(self) -> None:
        batch, self._of_this_turn = self._of_this_turn, None
        if batch is not None:
            self._ping(batch)

    def _ping(self, batch: Batch) -> None:
        if self._wire.is_connected:
            self._wire.queue_ping(batch.answered)
        else:
            batch.lose()
        batch.settling = asyncio.get_running_loop().create_task(self._settle(batch))

    async def _settle(self, batch: Batch) -> None:
        """Wait for the answer to a batch; blame each SUB that was not accepted."""
        try:
            await batch.answered
            self._suspects.clear(batch.patterns)
            if batch.strangers:
                await self._blame(batch)
        except errors.Error as lost:
            batch.end(lost)
        else:
            batch.end()

    async def _blame(self, batch: Batch) -> None:
        """Refuse those whom the errors without a known name are about."""
        if batch.all_are_refused:
            for sid in batch.taps:
                self._refuse(sid, batch.strangers[-1])
            return
        singles = []
        for sid, tap in batch.taps.items():
            if sid in self._taps:
                self._wire.queue(b"UNSUB %d\r\n" % sid)
                singles.append(self.at_once([(sid, tap)]))
        for single in singles:
            await single.settled
