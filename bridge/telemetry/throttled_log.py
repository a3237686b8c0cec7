"""Logs what may come thousands of times: the first at once, the rest once in a while, counted."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.telemetry.events import Event
from bridge.telemetry.logs import tell

LOG_INTERVAL_SECONDS = 60.0


class ThrottledLog:
    """Writes one line per event, or per `key` of it, in `interval` seconds.

    An event that has the fact `count` is told again at the end of the interval, with how many came
    since and the other facts of the latest. Of any other event, what comes within it is left out.
    """

    def __init__(self, interval: float = LOG_INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._latest: dict[tuple[Event, str], tuple[int, dict[str, Any]]] = {}
        """How many have not been told, and the facts of the latest, for each event told lately."""

    def tell(
        self, event: Event, failure: BaseException | None = None, /, *, key: str = "", **facts: Any
    ) -> None:
        """Tell of an event, now or later. `facts`: those of `event`, without `count`."""
        told = self._latest.get((event, key))
        if told is None:
            self._tell((event, key), 1, facts, failure)
        else:
            self._latest[event, key] = (told[0] + 1, facts)

    def forget(self, event: Event) -> None:
        """Tell of the next `event` at once, whatever its key."""
        for each in [each for each in self._latest if each[0] is event]:
            del self._latest[each]

    async def tell_rest(self) -> None:
        """Tell of what has not been told yet, since the service stops."""
        for (event, _), (count, facts) in self._latest.items():
            if count and "count" in event.facts:
                tell(event, count=count, **facts)
        self._latest.clear()

    def _tell(
        self,
        which: tuple[Event, str],
        count: int,
        facts: dict[str, Any],
        failure: BaseException | None = None,
    ) -> None:
        counted = {"count": count} if "count" in which[0].facts else {}
        tell(which[0], failure, **counted, **facts)
        self._latest[which] = (0, {})
        asyncio.get_running_loop().call_later(self._interval, self._check, which)

    def _check(self, which: tuple[Event, str]) -> None:
        count, facts = self._latest.pop(which, (0, {}))
        if count and "count" in which[0].facts:
            self._tell(which, count, facts)
