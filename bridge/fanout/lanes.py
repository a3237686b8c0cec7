"""The lanes of all feeds, within bounds."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.fanout.lane import Lane

MAX_LANES = 20000
"""Of all feeds: subjects that messages came on, times the patterns that brought them."""
MAX_LANE_BYTES = 33554432
"""Names of subjects can be as long as NATS allows."""
FORGOTTEN_AT_ONCE = 16
"""The part of all lanes that is forgotten where they are too many: a sixteenth."""


class Lanes:
    """Remembers the lanes that were made; the oldest are forgotten where they are too many."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, None] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._lanes)

    def keep(self, lane: Lane) -> None:
        """Remember `lane`, which its feed has just made."""
        self._lanes[lane] = None
        self._bytes += lane.size
        if len(self._lanes) > MAX_LANES or self._bytes > MAX_LANE_BYTES:
            # Many at once: a dict looks at all that was deleted before it finds its first key.
            for old in tuple(islice(self._lanes, len(self._lanes) // FORGOTTEN_AT_ONCE + 1)):
                self._forget(old)

    def forget_all(self, lanes: list[Lane]) -> None:
        """Forget the lanes of a feed that ends."""
        for lane in lanes:
            self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        del self._lanes[lane]
        del lane.feed.lanes[lane.subject]
        self._bytes -= lane.size
