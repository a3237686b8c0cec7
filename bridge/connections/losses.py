"""What a connection does not get: counted by reason, and told to the log and to the connection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from bridge.connections.episode import Episode

if TYPE_CHECKING:
    from bridge.telemetry.metrics import Counters


class Losses(ABC):
    """The part of a connection that counts them. Nothing here waits or raises."""

    def __init__(self, connection_id: str, counters: Counters) -> None:
        self.id = connection_id
        self.counters = counters
        self.dropped = 0
        """All of them."""
        self._dropped_untold = 0
        """Those the connection has yet to be told of."""
        self._is_slow = False
        """Whether there was no room for a message, and has not been since."""
        self._episode: Episode | None = None

    @property
    @abstractmethod
    def open(self) -> bool:
        """Whether anything can still be written."""

    @property
    @abstractmethod
    def pending_bytes(self) -> int:
        """Bytes held for it."""

    @abstractmethod
    def _tell_later(self) -> None:
        """Tell what is untold once there is room, also if no further message comes."""

    def miss(self, count: int) -> None:
        """Count messages for which there was no room, to be told before the next one that comes."""
        # It is many that are dropped: whatever takes time is done for the first of them.
        if not self._is_slow:
            if not self.open:
                self.lose(count)
                return
            self._is_slow = True
            self.counters.slow_episodes += 1
            self._tell_later()
        episode = self._episode
        if episode is None or episode.over:
            episode = self._episode = Episode(self.id, self.pending_bytes)
        episode.dropped += count
        self.dropped += count
        self._dropped_untold += count
        self.counters.dropped_slow += count

    def fail(self) -> None:
        """Count a message that its callback failed with, to be told like one without room."""
        self.dropped += 1
        self._dropped_untold += 1
        self.counters.dropped_callback += 1
        self._tell_later()

    def lose(self, count: int) -> None:
        """Count messages for which it was no longer open."""
        self.dropped += count
        self.counters.dropped_closed += count
