"""The lanes of all feeds, within bounds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.fanout.lane import Lane

MAX_LANES = 20000
"""Of all feeds: subjects that messages came on, times the patterns that brought them."""
MAX_LANE_BYTES = 33554432
"""Names of subjects can be as long as NATS allows."""
MAX_FORMER = 5000
FORMER_SECONDS = 600.0
"""How many forgotten subjects are remembered, and for how long."""
FORGOTTEN_AT_ONCE = 16
"""The part of all lanes that is forgotten where they are too many: a sixteenth."""


class Lanes:
    """Remembers the lanes that were made; the oldest are forgotten where they are too many."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, None] = {}
        self._bytes = 0
        self._former: dict[str, float] = {}
        """Subjects of lanes that were forgotten, and when; oldest first."""

    def __len__(self) -> int:
        return len(self._lanes)

    def keep(self, lane: Lane) -> None:
        """Remember `lane`, which its feed has just made."""
        self._lanes[lane] = None
        self._bytes += lane.size
        if len(self._lanes) > MAX_LANES or self._bytes > MAX_LANE_BYTES:
            # Many at once: a dict looks at all that was deleted before it finds its first key.
            number = len(self._lanes) // FORGOTTEN_AT_ONCE + 1
            self.forget_all(tuple(islice(self._lanes, number)))

    def forget_all(self, lanes: Iterable[Lane]) -> None:
        """Forget lanes, as those of a feed that ends."""
        now = monotonic()
        for lane in lanes:
            del self._lanes[lane]
            del lane.feed.lanes[lane.subject]
            self._bytes -= lane.size
            self._former.pop(lane.subject, None)
            self._former[lane.subject] = now
        for subject in tuple(islice(self._former, max(len(self._former) - MAX_FORMER, 0))):
            del self._former[subject]

    def seen(self) -> set[str]:
        """Return the subjects on which messages came of late."""
        since = monotonic() - FORMER_SECONDS
        former = {subject for subject, at in self._former.items() if at >= since}
        return former.union(lane.subject for lane in self._lanes)
