"""What a tail brings, handed on to those who follow the stream: each message encoded once."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.audiences.audience import Audience, AudienceKey
from bridge.audiences.told import pieces_of, with_cursors
from bridge.wire.envelope import Envelope
from bridge.wire.pattern_tree import PatternTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.audiences.had import Had
    from bridge.fanout.flusher import Flusher
    from bridge.history.own_rights import OwnRights
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss, Tail
    from bridge.telemetry.counters import Counters
    from bridge.wire.framing import Framing

MAX_LANES = 20_000
"""Subjects of which it is known who gets them; from there on all are forgotten."""
_subject_of = attrgetter("subject")


class Follower(Protocol):
    """A connection as the stage sees it."""

    @property
    def is_behind(self) -> bool: ...

    had: Had

    @property
    def patterns(self) -> tuple[str, ...]: ...
    def missed(self, after: int, until: int, reason: Loss) -> None: ...
    def fall_behind(self, until: int) -> None: ...
    def gone(self) -> None: ...
    def remind(self) -> None: ...


class _Lane(NamedTuple):
    """Who gets the messages on one subject, by how they are told to them; and who does not."""

    envelope: Envelope
    targets: dict[tuple[Framing, tuple[str, ...]], list[Audience]]
    aside: list[Audience]


class Stage:
    """The audiences of one stream: what listens to its tail.

    `followers`: all that follow the stream, whether they are live or not.
    """

    def __init__(self, tail: Tail, rights: OwnRights, flusher: Flusher, counters: Counters) -> None:
        self.tail = tail
        self.flusher = flusher
        self.counters = counters
        self.followers: dict[Follower, None] = {}
        self._rights = rights
        self._audiences: dict[AudienceKey, Audience] = {}
        self._tree = PatternTree()
        self._by_pattern: dict[str, dict[Audience, None]] = {}
        self._lanes: dict[str, _Lane] = {}
        tail.listen(self)

    def end(self) -> None:
        """Listen no more. Idempotent."""
        self.tail.unlisten(self)

    @property
    def rights(self) -> OwnRights:
        """What NATS lets the gateway itself read."""
        return self._rights

    @rights.setter
    def rights(self, rights: OwnRights) -> None:
        if rights != self._rights:
            self._rights = rights
            self._lanes.clear()

    # Audiences

    def audience(self, key: AudienceKey) -> Audience:
        """Return the audience with that key, made if there is none."""
        audience = self._audiences.get(key)
        if audience is None:
            audience = Audience(key, self.tail.position, self.counters, self.flusher)
            self._audiences[key] = audience
            for follow in key.follows:
                self._tree.add(follow.pattern)
                self._by_pattern.setdefault(follow.pattern, {})[audience] = None
            self._lanes.clear()
        return audience

    def drop_if_empty(self, audience: Audience) -> None:
        """Forget an audience without members."""
        if audience.members or self._audiences.get(audience.told_as) is not audience:
            return
        del self._audiences[audience.told_as]
        for follow in audience.told_as.follows:
            those = self._by_pattern[follow.pattern]
            those.pop(audience, None)
            if not those:
                del self._by_pattern[follow.pattern]
                self._tree.discard(follow.pattern)
        self._lanes.clear()

    # What the tail brings

    def take(self, messages: Sequence[Stored]) -> None:
        """Hand on the next messages."""
        for subject, run in groupby(messages, _subject_of):
            lane = self._lanes.get(subject)
            self._hand_on(self._open_lane(subject) if lane is None else lane, list(run))

    def _hand_on(self, lane: _Lane, run: list[Stored]) -> None:
        """Hand on messages that came one after the other on the subject of a lane."""
        tail = self.tail
        for (framing, meta), audiences in lane.targets.items():
            pieces = pieces_of(run, lane.envelope, framing, meta)
            pieces = with_cursors(pieces, run, framing, tail, tail.epoch)
            for audience in audiences:
                audience.append_stored(pieces, run[-1].sequence)
        for audience in lane.aside:
            audience.filter(len(run))

    def _open_lane(self, subject: str) -> _Lane:
        if len(self._lanes) >= MAX_LANES:
            self._lanes.clear()
        found: dict[Audience, None] = {}
        for pattern in self._tree.matching(subject):
            found.update(self._by_pattern[pattern])
        lane = self._lanes[subject] = _Lane(Envelope(subject), {}, [])
        may_be_read = self._rights.may_receive(subject)
        for audience in found:
            key = audience.told_as
            if may_be_read and key.takes(subject):
                way = key.framing, key.meta_of(subject)
                lane.targets.setdefault(way, []).append(audience)
            else:
                lane.aside.append(audience)
        return lane

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Tell everybody that the messages between will not come."""
        self.flusher.flush()
        for audience in self._audiences.values():
            audience.begin_at(until)
        for follower in tuple(self.followers):
            follower.missed(after, until, reason)

    def skipped(self, after: int, until: int) -> None:
        """Have everybody read what the tail passes over."""
        self.flusher.flush()
        for follower in tuple(self.followers):
            follower.fall_behind(after)

    def gone(self) -> None:
        """Tell everybody that the stream was deleted."""
        self.flusher.flush()
        for follower in tuple(self.followers):
            follower.gone()
