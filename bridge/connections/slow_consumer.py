"""A slow consumer: what a connection does not get, counted by reason, logged, and told to it.

`outbox.py` decides when messages are dropped and when that is told, `stall_watch.py` when a browser
that takes nothing is cut.

Dropped messages are told to the browser before the next message that it gets, and to the log at the
start and at the end of an *episode*, a time in which messages for one connection are dropped.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from bridge.telemetry import events
from bridge.telemetry.logs import tell

if TYPE_CHECKING:
    from bridge.telemetry.counters import Counters

EPISODE_QUIET_SECONDS = 5.0
"""An episode ends after this time without a drop."""
EPISODE_CHECK_SECONDS = 1.0
"""Between two looks at the count, to which the length of an episode is exact."""


class Holder(Protocol):
    """What a slow consumer asks of whatever holds its messages."""

    @property
    def open(self) -> bool: ...
    @property
    def pending_bytes(self) -> int: ...
    def tell_later(self) -> None: ...


class SlowConsumer:
    """Counts what one connection does not get. Nothing here waits or raises.

    `holder` tells whether the connection is open and what it holds; its `tell_later` sees to it
    that the browser is told once there is room, even if no further message comes.
    """

    __slots__ = (
        "_connection_id",
        "_counters",
        "_dropped",
        "_episode",
        "_holder",
        "_is_slow",
        "dropped",
        "untold",
    )

    def __init__(self, connection_id: str, holder: Holder, counters: Counters) -> None:
        self.dropped = 0
        """All of them."""
        self.untold = 0
        """Those the browser has yet to be told of."""
        self._connection_id = connection_id
        self._holder: Holder = holder
        self._dropped = counters.dropped
        self._counters = counters
        self._is_slow = False
        """Whether there was no room for a message, and has not been since."""
        self._episode: Episode | None = None

    def miss(self, count: int) -> None:
        """Count messages for which there was no room, to be told before the next one that comes."""
        # Thousands may be dropped in a row, so only the first does the slow work.
        if not self._is_slow:
            if not self._holder.open:
                self.lose(count)
                return
            self._is_slow = True
            self._counters.slow_episodes += 1
            self._holder.tell_later()
        episode = self._episode
        if episode is None or episode.over:
            episode = self._episode = Episode(self._connection_id, self._holder.pending_bytes)
        episode.dropped += count
        self.dropped += count
        self.untold += count
        self._dropped["slow"] += count

    def fail(self) -> None:
        """Count a message that its callback failed with, to be told like one without room."""
        self.dropped += 1
        self.untold += 1
        self._dropped["callback"] += 1
        self._holder.tell_later()

    def lose(self, count: int) -> None:
        """Count messages for which it was no longer open."""
        self.dropped += count
        self._dropped["closed"] += count

    def take_untold(self) -> int:
        """Return how many messages the browser is to be told of now that there is room again."""
        count, self.untold, self._is_slow = self.untold, 0, False
        return count

    def release(self) -> None:
        """Log the episode that has not ended yet, and let go of the holder. Idempotent."""
        if self._episode is not None:
            self._episode.end()
        self._holder = _Nothing()


class _Nothing:
    """What holds the messages of a connection that has ended, so that no circle stays behind."""

    open = False
    pending_bytes = 0

    def tell_later(self) -> None: ...


class Episode:
    """An episode of one connection, from now on; `pending_bytes` are held for it.

    Whoever drops a message raises `dropped`, and does nothing else.
    """

    __slots__ = ("_began", "_connection_id", "_latest", "_seen", "_timer", "dropped", "over")

    def __init__(self, connection_id: str, pending_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self.dropped = 0
        self.over = False
        self._connection_id = connection_id
        self._began = self._latest = loop.time()
        self._seen = 0
        self._timer = loop.call_later(EPISODE_CHECK_SECONDS, self._check)
        tell(events.SLOW_CONSUMER_BEGAN, connection=connection_id, pending_bytes=pending_bytes)

    def end(self) -> None:
        """Log what it was. Idempotent."""
        if self.over:
            return
        self.over = True
        self._timer.cancel()
        self._count(asyncio.get_running_loop().time())
        seconds = round(self._latest - self._began, 3)
        connection, dropped = self._connection_id, self.dropped
        tell(events.SLOW_CONSUMER_ENDED, connection=connection, dropped=dropped, seconds=seconds)

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        self._count(loop.time())
        if loop.time() - self._latest >= EPISODE_QUIET_SECONDS:
            self.end()
        else:
            self._timer = loop.call_later(EPISODE_CHECK_SECONDS, self._check)

    def _count(self, now: float) -> None:
        if self.dropped != self._seen:
            self._seen, self._latest = self.dropped, now
