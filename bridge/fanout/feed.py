"""One NATS subscription, and the groups that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from bridge.fanout.conflation import Held
from bridge.fanout.group import NO_COPIES, CallbackGroup, Group, GroupKey
from bridge.fanout.lane import Lane, Targets, remove
from bridge.fanout.rated_group import RatedGroup
from bridge.wire.codes import Code
from bridge.wire.responses import Refusal, shorten

if TYPE_CHECKING:
    from bridge.fanout.crossings import Crossings
    from bridge.fanout.flusher import Flusher
    from bridge.nats_link import tapped
    from bridge.telemetry.counters import Counters

_REASONS: dict[Code, str] = {
    "denied": "the NATS server does not allow it",
    "limit": "the NATS server has no room for further subscriptions",
    "nats_down": "NATS was lost while it was asked for, and it will be asked for again",
}
"""What the NATS link says of a pattern, in words."""
MAX_CHANGES = 256
"""Remembered for lanes that are used seldom; one that missed more asks all groups again."""


class Surroundings(Protocol):
    """What a feed needs of the hub."""

    counters: Counters
    flusher: Flusher
    crossings: Crossings
    held: Held

    def keep(self, lane: Lane) -> None: ...
    def revoked(self, feed: Feed) -> None: ...


class Feed:
    """The subscription for one pattern, shared by all groups that follow it.

    It is what `NATSLink.subscribe_all` takes: a pattern, the lane of each of its subjects, and
    what is to be told if the server does not have it.
    """

    __slots__ = (
        "_hub",
        "asked_groups",
        "asking",
        "changed",
        "changes",
        "groups",
        "holds",
        "is_open",
        "is_watched",
        "lanes",
        "open_groups",
        "opening",
        "pattern",
        "refused",
        "ssid",
        "stock",
    )

    def __init__(self, pattern: str, hub: Surroundings) -> None:
        self.pattern = pattern
        self._hub = hub
        self.groups: dict[GroupKey, Group] = {}
        self.open_groups: Targets = {}
        """Those that get every message."""
        self.asked_groups: dict[Group, None] = {}
        """The others."""
        self.asking = 0
        """How many of all groups want to know what comes with the messages."""
        self.lanes: dict[str, Any] = {}
        self.changed = 0
        """How often groups have come or gone."""
        self.changes: list[tuple[Group, bool]] = []
        """The latest of these: a group, and whether it has come."""
        self.ssid = 0
        """The id of the NATS subscription."""
        self.stock: Callable[[], int] | None = None
        """Returns how many messages wait in nats-py's own queue, where there is one."""
        self.is_open = False
        """Whether the NATS server has accepted it."""
        self.opening: asyncio.Task[None] | None = None
        """Done once the server has answered, one way or another."""
        self.refused: Code | None = None
        """Why the server does not have it, or does not any more: see `_REASONS`."""
        self.holds = 0
        """Requests that wait for it: it may not be closed under them."""
        self.is_watched = False

    # What it brings

    def lane(self, subject: str) -> tapped.Lane:
        """Return the way of the messages on one subject."""
        return self.lane_of(subject).take

    def lane_of(self, subject: str) -> Lane:
        """Return the lane of one subject."""
        lane: Lane | None = self.lanes.get(subject)
        if lane is None:
            lane = self.lanes[subject] = Lane(self, subject)
            self._hub.keep(lane)
        return lane

    @property
    def wants_meta(self) -> bool:
        """Whether payloads that come with more than themselves have to know it.

        Where copies are matched, too: what differs in its headers is not the same message.
        """
        return self.asking > 0 or self.is_watched

    @property
    def crossings(self) -> Crossings:
        """Which patterns are followed beside others that they overlap."""
        return self._hub.crossings

    def count_overlapping(self, count: int) -> None:
        """Count messages of which there are further copies."""
        self._hub.counters.overlapping += count

    def count_malformed(self, count: int) -> None:
        """Count messages with headers that cannot be read."""
        self._hub.counters.malformed_headers += count

    # Who follows it

    def group(self, key: GroupKey) -> Group:
        """Return the group with that key, made known if it is new."""
        group = self.groups.get(key) if self.groups else None
        if group is None:
            group = self.groups[key] = self._new_group(key)
            self.asking += bool(key.follow.wants.meta)
            if group.is_open:
                self.open_groups.setdefault(group.framing, []).append(group)
            else:
                self.asked_groups[group] = None
            self._change(group, is_there=True)
        return group

    def _new_group(self, key: GroupKey) -> Group:
        counters, flusher = self._hub.counters, self._hub.flusher
        if key.follow.wants.max_rate is not None:
            return RatedGroup(key, counters, flusher, self._hub.held)
        kind = Group if key.callback is None else CallbackGroup
        return kind(key, counters, flusher)

    def drop_if_empty(self, group: Group) -> None:
        """Forget a group without members."""
        if not group.members:
            del self.groups[group.key]
            self.asking -= bool(group.key.follow.wants.meta)
            # A lane that is used seldom may remember the group for long.
            group.key = group.key._replace(had=NO_COPIES)
            if group.is_open:
                remove(self.open_groups, group)
            else:
                del self.asked_groups[group]
            self._change(group, is_there=False)

    def _change(self, group: Group, *, is_there: bool) -> None:
        self.changed += 1
        self.changes.append((group, is_there))
        if len(self.changes) > MAX_CHANGES:
            del self.changes[: MAX_CHANGES // 2]

    # What the server says

    def refuse(self, code: Code) -> None:
        """Take note of why the NATS server does not have it, or does not any more."""
        self.refused = code
        if self.is_open:
            self._hub.revoked(self)

    def refusal(self, *, could_ask: bool = True) -> Refusal:
        """Return the refusal for all who follow, or want to; `could_ask`: NATS was reachable."""
        code: Code = self.refused or "nats_down"
        if self.refused:
            reason = _REASONS[self.refused]
        elif could_ask:
            reason = "NATS did not answer in time"
        else:
            reason = "NATS is not reachable just now"
        text = f"Cannot subscribe to {shorten(self.pattern)!r}: {reason}."
        return Refusal(code, text, [self.pattern])
