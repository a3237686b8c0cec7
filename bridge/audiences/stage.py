"""What a tail brings, handed on to those who follow the stream: each message encoded once."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

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
_envelope_of, _targets_of = attrgetter("envelope"), attrgetter("targets")
_first = itemgetter(0)


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


_Way = tuple["Framing", tuple[str, ...]]
"""How messages are told: in which framing, and with what beside them."""


class _Targets:
    """Who gets the messages on some subjects, by how they are told to them; and who does not.

    There is one object for each such answer, so that they can be compared by identity.
    """

    def __init__(
        self, told: tuple[tuple[_Way, Audience], ...], aside: tuple[Audience, ...]
    ) -> None:
        self.aside = aside
        self.audiences: dict[_Way, list[Audience]] = {}
        for way, audience in told:
            self.audiences.setdefault(way, []).append(audience)


class _Lane(NamedTuple):
    """The way of the messages on one subject."""

    envelope: Envelope
    targets: _Targets


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
        self._targets: dict[Any, _Targets] = {}
        """Those of the lanes, by what they hold."""
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
            self._forget_lanes()

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
            self._forget_lanes()
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
        self._forget_lanes()

    # What the tail brings

    def take(self, messages: Sequence[Stored]) -> None:
        """Hand on the next messages; those with the same targets together."""
        known = self._lanes
        lanes = [known.get(each.subject) or self._open_lane(each.subject) for each in messages]
        rows = zip(map(_targets_of, lanes), map(_envelope_of, lanes), messages, strict=True)
        for targets, those in groupby(rows, _first):
            _, envelopes, run = zip(*those, strict=True)
            self._hand_on(targets, envelopes, run)

    def _hand_on(
        self, targets: _Targets, envelopes: Sequence[Envelope], run: Sequence[Stored]
    ) -> None:
        tail = self.tail
        for (framing, meta), audiences in targets.audiences.items():
            pieces = pieces_of(run, envelopes, framing, meta)
            pieces = with_cursors(pieces, run, framing, tail, tail.epoch)
            for audience in audiences:
                audience.append_stored(pieces, run[-1].sequence)
        for audience in targets.aside:
            audience.filter(len(run))

    def _open_lane(self, subject: str) -> _Lane:
        if len(self._lanes) >= MAX_LANES:
            self._forget_lanes()
        found: dict[Audience, None] = {}
        for pattern in self._tree.matching(subject):
            found.update(self._by_pattern[pattern])
        may_be_read = self._rights.may_receive(subject)
        told, aside = [], []
        for audience in found:
            key = audience.told_as
            if may_be_read and key.takes(subject):
                told.append(((key.framing, key.meta_of(subject)), audience))
            else:
                aside.append(audience)
        those = tuple(told), tuple(aside)
        targets = self._targets.setdefault(those, _Targets(*those))
        lane = self._lanes[subject] = _Lane(Envelope(subject), targets)
        return lane

    def _forget_lanes(self) -> None:
        self._lanes.clear()
        self._targets.clear()

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
