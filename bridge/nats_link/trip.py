"""SUBs and the PING after them: what the server says before its PONG is about one of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from nats import errors

if TYPE_CHECKING:
    from bridge.nats_link.whole_tap import AnyTap
    from bridge.wire.codes import Code


class Trip:
    """The server answers with an error for each SUB that it does not accept, then with a PONG.

    `company` is how many share the suspicion if it hangs up instead; None if all that are not
    answered at that moment do.
    """

    def __init__(self, company: int | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.company = company
        self.taps: dict[int, AnyTap] = {}
        """By the id of their SUB."""
        self.answered: asyncio.Future[bool] = loop.create_future()
        """Done once the PONG has come, or the connection is lost."""
        self.settled: asyncio.Future[bool] = loop.create_future()
        """Done once each SUB is known to be accepted or not, or the connection is lost."""
        self.blaming: asyncio.Task[None] | None = None
        self.strangers: list[Code] = []
        """One for each error that does not name a SUB of this trip."""
        self._by_pattern: dict[str, list[int]] | None = None
        self._refused: set[int] = set()

    @property
    def patterns(self) -> list[str]:
        """What is asked for."""
        return [tap.pattern for tap in self.taps.values()]

    def named(self, pattern: str) -> list[int]:
        """Return the ids of the SUBs of a pattern, which the server has refused by its name."""
        if self._by_pattern is None:
            # A trip can have thousands, and errors come for each of them.
            self._by_pattern = defaultdict(list)
            for sid, tap in self.taps.items():
                self._by_pattern[tap.pattern].append(sid)
        named = self._by_pattern.get(pattern, [])
        self._refused.update(named)
        return named

    @property
    def all_are_refused(self) -> bool:
        """Whether there was an error for each SUB."""
        return len(self.strangers) + len(self._refused) >= len(self.taps)

    def lose(self) -> None:
        """End the wait for an answer: the connection is lost. Idempotent."""
        if not self.answered.done():
            self.answered.set_exception(errors.ConnectionReconnectingError())
            self.answered.exception()  # not everybody waits for it

    def end(self, lost: BaseException | None = None) -> None:
        """Tell those who wait, if anybody does."""
        if lost is None:
            self.settled.set_result(True)
        else:
            self.settled.set_exception(lost)
            self.settled.exception()
