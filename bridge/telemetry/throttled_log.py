"""Logs what may come thousands of times: the first at once, the rest once in a while, counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from bridge.telemetry.event import Event
from bridge.telemetry.logs import tell

LOG_INTERVAL_SECONDS = 60.0


@dataclass(slots=True)
class _Told:
    """An event that was told lately: how many have come since, and the facts of the latest."""

    timer: asyncio.TimerHandle
    count: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


class ThrottledLog:
    """Writes one line per event, or per `key` of it, in `interval` seconds.

    An event that has the fact `count` is told again at the end of the interval, with how many came
    since and the other facts of the latest. Of any other event, what comes within it is left out.
    """

    def __init__(self, interval: float = LOG_INTERVAL_SECONDS) -> None:
        self._interval = interval
        self._lately: dict[tuple[Event, str], _Told] = {}
        """What was told within the interval, by event and key."""

    def tell(
        self, event: Event, failure: BaseException | None = None, /, *, key: str = "", **facts: Any
    ) -> None:
        """Tell of an event, now or later. `facts`: those of `event`, without `count`."""
        told = self._lately.get((event, key))
        if told is None:
            self._tell(event, key, 1, facts, failure)
        else:
            told.count += 1
            told.facts = facts

    def forget(self, event: Event) -> None:
        """Tell of the next `event` at once, whatever its key."""
        for each in [each for each in self._lately if each[0] is event]:
            self._lately.pop(each).timer.cancel()

    async def tell_rest(self) -> None:
        """Tell of what has not been told yet, since the service stops."""
        for (event, _), told in self._lately.items():
            told.timer.cancel()
            if told.count and "count" in event.facts:
                tell(event, count=told.count, **told.facts)
        self._lately.clear()

    def _tell(
        self,
        event: Event,
        key: str,
        count: int,
        facts: dict[str, Any],
        failure: BaseException | None = None,
    ) -> None:
        counted = {"count": count} if "count" in event.facts else {}
        tell(event, failure, **counted, **facts)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._interval, self._check, event, key)
        self._lately[event, key] = _Told(timer)

    def _check(self, event: Event, key: str) -> None:
        told = self._lately.pop((event, key))
        if told.count and "count" in event.facts:
            self._tell(event, key, told.count, told.facts)
