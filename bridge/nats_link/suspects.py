"""Patterns that the NATS connection may have been lost for.

A server can hang up on a SUB: one that is longer than its `max_control_line`, say. As the gateway
asks again for what it could not get, that would be the end of every connection. So what was being
asked for when one was lost is then asked for in smaller and smaller company, and not at all once
the connection was lost three times for that pattern alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire.responses import shorten

WAIT_SECONDS = (0.0, 1.0, 10.0)
"""Until it is asked for again, by how often the connection was lost for that pattern alone."""
REFUSED_SECONDS = 600.0
"""Until what is refused may be asked for again: a server can be set up anew."""
PARTS = 50
"""Parts in which those that were asked for together are asked for again, one after the other."""
MAX_SUSPECTS = 10000


@dataclass(slots=True)
class _Suspect:
    company: int = 1
    """How many were being asked for when the connection was lost."""
    losses: int = 0
    due: float = 0.0


class Suspects:
    """What each pattern that was being asked for at a loss has to wait for."""

    def __init__(self) -> None:
        self._by_pattern: dict[str, _Suspect] = {}
        self._longest = math.inf
        """Bytes of the shortest pattern that was too long for the server."""
        self._longest_until = 0.0

    def lost(self, patterns: Iterable[str], company: int) -> None:
        """Note that the connection was lost while `company` patterns were asked for."""
        for pattern in patterns:
            suspect = self._known(pattern)
            suspect.company = company
            if company > 1 or suspect.losses == len(WAIT_SECONDS):
                continue
            suspect.losses += 1
            if suspect.losses < len(WAIT_SECONDS):
                suspect.due = time.monotonic() + WAIT_SECONDS[suspect.losses]
            else:
                self._refuse(pattern, suspect, "the connection is lost each time")

    def too_long(self, patterns: Iterable[str]) -> None:
        """Note that the server takes one of these for too long: surely the longest."""
        pattern = max(patterns, key=_size)
        self._longest = _size(pattern)
        self._longest_until = time.monotonic() + REFUSED_SECONDS
        self._refuse(pattern, self._known(pattern), "it is too long for the server")

    def clear(self, patterns: Iterable[str]) -> None:
        """Note that the server has answered."""
        if self._by_pattern:
            for pattern in patterns:
                self._by_pattern.pop(pattern, None)

    def is_refused(self, pattern: str) -> bool:
        """Return whether the server has hung up on it too often, or surely will."""
        if time.monotonic() < self._longest_until and _size(pattern) >= self._longest:
            return True
        suspect = self._by_pattern.get(pattern)
        return (
            suspect is not None
            and suspect.losses == len(WAIT_SECONDS)
            and time.monotonic() < suspect.due
        )

    def wait(self, pattern: str) -> float | None:
        """Return the seconds until a pattern may be asked for; None if it is not suspicious."""
        suspect = self._by_pattern.get(pattern)
        return None if suspect is None else max(0.0, suspect.due - time.monotonic())

    def at_a_time(self, pattern: str) -> int:
        """Return how many may be asked for together with a pattern, itself included."""
        suspect = self._by_pattern.get(pattern)
        return PARTS if suspect is None else max(1, suspect.company // PARTS)

    def _known(self, pattern: str) -> _Suspect:
        # Moved to the end, so that the one that is forgotten has been quiet for longest.
        suspect = self._by_pattern.pop(pattern, None) or _Suspect()
        self._by_pattern[pattern] = suspect
        if len(self._by_pattern) > MAX_SUSPECTS:
            del self._by_pattern[next(iter(self._by_pattern))]
        return suspect

    def _refuse(self, pattern: str, suspect: _Suspect, reason: str) -> None:
        suspect.losses = len(WAIT_SECONDS)
        suspect.due = time.monotonic() + REFUSED_SECONDS
        tell(events.NATS_HANGS_UP, pattern=shorten(pattern), reason=reason)


def _size(pattern: str) -> int:
    return len(pattern.encode())
