"""SUBs and PINGs on their way to the server, and whom its errors are about."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol

from nats import errors

from bridge.nats_link.trip import Trip

if TYPE_CHECKING:
    from bridge.nats_link.suspects import Suspects
    from bridge.nats_link.whole_tap import AnyTap
    from bridge.telemetry.counters import Counters
    from bridge.wire.codes import Code

Sub = tuple[int, "AnyTap"]
"""A subscription: its id and its tap."""


class Wire(Protocol):
    """The connection; what is queued is sent in its order."""

    counters: Counters

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
    """Trips to the server, in the order of their PINGs, until each is settled.

    `refuse` is called for each subscription that the server does not accept; one that is not in
    `taps` any more has been given up.
    """

    def __init__(
        self,
        wire: Wire,
        taps: Mapping[int, AnyTap],
        suspects: Suspects,
        refuse: Callable[[int, Code], None],
    ) -> None:
        self._wire = wire
        self._taps = taps
        self._suspects = suspects
        self._refuse = refuse
        self._of_this_turn: Trip | None = None
        self._unanswered: deque[Trip] = deque()

    def together(self, subs: Iterable[Sub] = ()) -> Trip:
        """Queue SUBs, before the one PING of this turn of the event loop."""
        trip = self._of_this_turn
        if trip is None:
            trip = self._of_this_turn = self._add(None)
            asyncio.get_running_loop().call_soon(self._close_turn)
        self._queue(trip, subs)
        return trip

    def at_once(self, subs: Iterable[Sub], company: int | None = None) -> Trip:
        """Queue SUBs and a PING of their own; `company` as in Trip."""
        self._close_turn()  # or the PONG of this one would come after errors of that one
        trip = self._add(company)
        self._queue(trip, subs)
        self._ping(trip)
        return trip

    def next_to_be_answered(self) -> Trip | None:
        """Return the trip that an error is about: the next PONG is for its PING."""
        while self._unanswered and self._unanswered[0].answered.done():
            self._unanswered.popleft()
        return self._unanswered[0] if self._unanswered else None

    def lost(self) -> None:
        """Take note that the connection is lost. Idempotent."""
        unanswered = [each for each in self._unanswered if not each.answered.done()]
        self._unanswered.clear()
        together = sum(len(each.taps) for each in unanswered)
        for trip in unanswered:
            self._suspects.lost(trip.patterns, trip.company or together)
            trip.lose()

    def _add(self, company: int | None) -> Trip:
        trip = Trip(company)
        self._unanswered.append(trip)
        return trip

    def _queue(self, trip: Trip, subs: Iterable[Sub]) -> None:
        for sid, tap in subs:
            trip.taps[sid] = tap
            self._wire.queue(b"SUB %b %d\r\n" % (tap.pattern.encode(), sid))

    def _close_turn(self) -> None:
        trip, self._of_this_turn = self._of_this_turn, None
        if trip is not None:
            self._ping(trip)

    def _ping(self, trip: Trip) -> None:
        if trip.taps:  # else nobody waits for more than the answer
            trip.answered.add_done_callback(partial(self._settle, trip))
        if self._wire.is_connected:
            self._wire.queue_ping(trip.answered)
        else:
            trip.lose()

    def _settle(self, trip: Trip, answered: asyncio.Future[bool]) -> None:
        """Take the answer to a trip; blame each SUB that was not accepted."""
        if answered.cancelled():
            trip.end(errors.ConnectionClosedError())
        elif (lost := answered.exception()) is not None:
            trip.end(lost)
        else:
            self._suspects.clear(trip.patterns)
            if trip.strangers:
                trip.blaming = asyncio.get_running_loop().create_task(self._blame(trip))
            else:
                trip.end()

    async def _blame(self, trip: Trip) -> None:
        """Refuse those whom the errors without a known name are about."""
        try:
            await self._refuse_strangers(trip)
        except errors.Error as lost:
            trip.end(lost)
        else:
            trip.end()

    async def _refuse_strangers(self, trip: Trip) -> None:
        if trip.all_are_refused:
            for sid in trip.taps:
                self._refuse(sid, trip.strangers[-1])
            return
        singles = []
        for sid, tap in trip.taps.items():
            if sid in self._taps:
                self._wire.queue(b"UNSUB %d\r\n" % sid)
                singles.append(self.at_once([(sid, tap)]))
        for single in singles:
            await single.settled
