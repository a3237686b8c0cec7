"""Who publishes: a connection, or whoever calls over HTTP; how often, and how many answers wait."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.token_bucket import TokenBucket

if TYPE_CHECKING:
    from bridge.access.publish_policy import PublishPolicy
    from bridge.publishing.delivery import Delivery

MAX_CALLERS = 10000
"""Callers over HTTP that are remembered; the one that has been silent for longest is forgotten."""


@dataclass(frozen=True, slots=True)
class PublishLimits:
    """Bounds of one sender; counts and seconds."""

    publishes_per_second: float = 20.0
    publish_burst: int = 40
    max_request_timeout: float = 10.0


class Sender:
    """Publishes, and waits for answers. Times are monotonic, in seconds.

    `who`: the holder of a token, or else an address, which may have several senders.
    """

    __slots__ = ("_excess", "_in_a_row", "_publishes", "granted", "is_flooding", "waiting", "who")

    def __init__(self, limits: PublishLimits, now: float, who: tuple[str, ...] = ()) -> None:
        self.who = who
        rate, burst = limits.publishes_per_second, limits.publish_burst
        self._publishes = TokenBucket(rate, burst, now)
        # What keeps coming at three times the rate is a flood.
        self._excess = TokenBucket(2 * rate, 2 * burst, now)
        self._in_a_row = 0
        self.granted: tuple[str, PublishPolicy, PublishPolicy] | None = None
        """On which subject it has last published, and by which policies."""
        self.is_flooding = False
        """Whether it has gone too far."""
        self.waiting: set[Delivery] = set()
        """What has yet to be answered."""

    def allows_publish(self, now: float) -> bool:
        """Count a publication; False when it comes too soon after the ones before."""
        if self._publishes.take(now):
            return True
        if not self._excess.take(now):
            self.is_flooding = True
        return False

    def has_had_its_turn(self, most: int) -> bool:
        """Count one that was sent; True for each `most`-th."""
        self._in_a_row = (self._in_a_row + 1) % most
        return not self._in_a_row

    def leave(self) -> None:
        """Wait for nothing any more, since the connection has ended. Idempotent."""
        for each in tuple(self.waiting):
            each.abandon()


class Callers:
    """Those who publish over HTTP without a connection, by who or where they are."""

    def __init__(self, limits: PublishLimits) -> None:
        self._limits = limits
        self._senders: OrderedDict[tuple[str, ...], Sender] = OrderedDict()

    def sender(self, key: tuple[str, ...], now: float) -> Sender:
        """Return the sender of this key."""
        sender = self._senders.pop(key, None) or Sender(self._limits, now, key)
        self._senders[key] = sender
        if len(self._senders) > MAX_CALLERS:
            self._senders.popitem(last=False)
        return sender
