"""What the fan-out is subscribed to.

nats-py makes a queue and a task for each subscription, of which the fan-out needs neither: here, a
subscription is an entry of a table. So it is also replayed here, after a reconnect.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nats import errors

from bridge.nats_link.asking import Asking, Sub, Wire
from bridge.nats_link.line_up import Asked, LineUp
from bridge.nats_link.suspects import Suspects

if TYPE_CHECKING:
    from bridge.nats_link.whole_tap import AnyTap
    from bridge.wire.codes import Code

ANSWER_TIMEOUT_SECONDS = 2.0
"""For the NATS server to answer a PING, if nothing else comes from it."""
LOOKS = 4
"""At whether something has come meanwhile."""
SUBS_A_TRIP = 100
"""SUBs before one PING after a reconnect: so many are asked for again if one is not accepted."""

_BREAKS_THE_LINE = re.compile(r"\s|^$", re.ASCII)


class Subscriptions:
    """The subscriptions of one connection and the next: `taps` has them by their id."""

    def __init__(self, wire: Wire) -> None:
        self.taps: dict[int, AnyTap] = {}
        self._wire = wire
        self._suspects = Suspects()
        self._asking = Asking(wire, self.taps, self._suspects, self._refuse)
        self._line_up = LineUp(self._ask_few, self._suspects.at_a_time)
        self._replayed: list[asyncio.Future[bool]] = []

    async def subscribe_all(self, taps: Sequence[AnyTap]) -> list[int]:
        """Ask for all at once, and wait until the server has accepted or refused each."""
        self._check(taps)
        subs = [(self._wire.next_sid(), tap) for tap in taps]
        clean, suspicious = self._sort(subs)
        self.taps.update(clean)
        self.taps.update(suspicious)
        settled = [self._asking.together(clean).settled] if clean else []
        settled += self._line_up.add(suspicious)
        try:
            for each in settled:
                await self._end_of(each)
        except BaseException:
            for sid, _ in subs:
                self.unsubscribe(sid)
            raise
        return [sid for sid, _ in subs]

    def unsubscribe(self, sid: int) -> None:
        """Queue UNSUB, if that is still to be done."""
        if self.taps.pop(sid, None) is not None and self._wire.is_connected:
            self._wire.queue(b"UNSUB %d\r\n" % sid)

    async def round_trip(self) -> None:
        """Wait for the PONG to the PING of this turn."""
        self._check(())
        await self._end_of(self.answered())

    def answered(self) -> asyncio.Future[bool]:
        """Return what is done once the PING of this turn is answered, or the connection lost."""
        return self._asking.together().answered

    def lost(self) -> None:
        """Take note that the connection is lost. Idempotent."""
        self._asking.lost()  # who has lined up finds out by itself

    def replay(self) -> None:
        """Queue the SUBs of what is subscribed, on a new connection."""
        self.lost()  # or nats-py gave a connection up before it counted as one
        clean, suspicious = self._sort(list(self.taps.items()))
        self._replayed = [
            self._asking.at_once(clean[begin : begin + SUBS_A_TRIP]).settled
            for begin in range(0, len(clean), SUBS_A_TRIP)
        ]
        self._replayed += self._line_up.add(suspicious)

    async def restored(self) -> None:
        """Wait until what was replayed is accepted or refused, or the connection lost again."""
        while replayed := self._replayed:
            await asyncio.wait(replayed)
            if self._replayed is replayed:
                self._replayed = []

    def refused(self, code: Code, subject: str | None = None, sid: int | None = None) -> None:
        """Take a refusal of the server: of a subscription that is there, or of a SUB just sent.

        Where it names nobody we know, it is about some SUB before the next PONG.
        """
        if sid is not None:
            self._refuse(sid, code)
            return
        trip = self._asking.next_to_be_answered()
        named: list[int] = []
        if subject is not None:
            named = trip.named(subject) if trip is not None else []
            # Taken away later, by a server that does not name the id.
            named = named or [sid for sid, tap in self.taps.items() if tap.pattern == subject]
        for sid in named:
            self._refuse(sid, code)
        if trip is not None and not named:
            trip.strangers.append(code)

    def too_long(self) -> None:
        """Take note that the server hangs up on a line that is too long for it."""
        trip = self._asking.next_to_be_answered()
        if trip is not None and trip.taps:
            self._suspects.too_long(trip.patterns)

    def _check(self, taps: Sequence[AnyTap]) -> None:
        if not self._wire.is_connected:
            raise errors.ConnectionReconnectingError
        if any(_BREAKS_THE_LINE.search(tap.pattern) for tap in taps):
            raise errors.BadSubjectError

    def _sort(self, subs: Sequence[Sub]) -> tuple[list[Sub], list[Sub]]:
        """Return those that may be asked for together, and those that have to line up.

        The rest is refused; with `nats_down`, if its time has not come.
        """
        clean, suspicious = [], []
        for sid, tap in subs:
            wait = self._suspects.wait(tap.pattern)
            if self._suspects.is_refused(tap.pattern):
                self._turn_away(sid, tap, "denied")
            elif wait is None:
                clean.append((sid, tap))
            elif wait == 0:
                suspicious.append((sid, tap))
            else:
                self._turn_away(sid, tap, "nats_down")
        return clean, suspicious

    async def _ask_few(self, few: Sequence[Asked]) -> None:
        self._check(())
        subs = [(each.sid, each.tap) for each in few if each.sid in self.taps]
        if subs:
            await self._asking.at_once(subs, company=len(subs)).settled

    def _refuse(self, sid: int, code: Code) -> None:
        if sid in self.taps:
            self._turn_away(sid, self.taps[sid], code)

    def _turn_away(self, sid: int, tap: AnyTap, code: Code) -> None:
        self.unsubscribe(sid)
        tap.refuse(code)

    async def _end_of(self, future: asyncio.Future[bool]) -> None:
        """Wait for a future that others may wait for as well.

        Raises TimeoutError if the server says nothing; what is slow may be behind what it sent.
        """
        heard, looks = -1, 0
        while not future.done():
            if heard != self._wire.counters.received_bytes:
                heard, looks = self._wire.counters.received_bytes, 0
            elif looks == LOOKS:
                raise TimeoutError("NATS does not answer")
            looks += 1
            await _done_within(future, ANSWER_TIMEOUT_SECONDS / LOOKS)
        future.result()


async def _done_within(future: asyncio.Future[bool], seconds: float) -> None:
    """Wait until a future is done or the time is up.

    `asyncio.wait` does that at twice the cost, and each request waits here.
    """
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(_: object = None) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake)
    future.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()
        future.remove_done_callback(wake)
