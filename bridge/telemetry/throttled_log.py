"""Tells of what is refused to browsers, so that a flood of it is not a flood of lines."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.telemetry.events import Event
from bridge.telemetry.logs import tell

AGAIN = 60.0
"""Seconds between two lines about the same event."""


class Refusals:
    """Tells of the first of each event at once, and of those in the minute after it together."""

    def __init__(self) -> None:
        self._latest: dict[Event, tuple[int, dict[str, Any]]] = {}
        """How many have not been told, and the facts of the latest, for each event told lately."""

    def add(self, event: Event, **facts: Any) -> None:
        """Tell of a refusal, now or later. `facts`: those of `event` but for `count`."""
        if event in self._latest:
            self._latest[event] = (self._latest[event][0] + 1, facts)
        else:
            self._tell(event, 1, facts)

    async def tell_rest(self) -> None:
        """Tell of those that have not been told, since the service stops."""
        for event, (count, facts) in self._latest.items():
            if count:
                tell(event, count=count, **facts)
        self._latest.clear()

    def _tell(self, event: Event, count: int, facts: dict[str, Any]) -> None:
        tell(event, count=count, **facts)
        self._latest[event] = (0, {})
        asyncio.get_running_loop().call_later(AGAIN, self._look, event)

    def _look(self, event: Event) -> None:
        count, facts = self._latest.pop(event, (0, {}))
        if count:
            self._tell(event, count, facts)
