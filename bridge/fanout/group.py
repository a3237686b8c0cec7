"""Members that get the same messages by the same subscription: pieces made once, written to each.

A connection is in one group for each pattern that it follows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bridge.access.policy import Decided, Rule
from bridge.fanout.follow import Follow
from bridge.wire.envelope import Message
from bridge.wire.framing import CALLS, Framing
from bridge.wire.patterns import PatternSet

if TYPE_CHECKING:
    from bridge.fanout.copies import Copy
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters


FULL_WRITE_BYTES = 32768
"""So much for each member, up to `MAX_WRITE_BYTES`, is flushed at once: joining more is no gain."""
MAX_WRITE_BYTES = 131072
MAX_DIRECT_BYTES = 16384
"""At most so much is written straight to sockets; beyond it there is no gain."""

NO_COPIES: frozenset[Copy] = frozenset()


class GroupKey(NamedTuple):
    """What the members of a group have in common: who has the same one is in the same group."""

    follow: Follow
    framing: Framing
    callback: Callable[[Message], None] | None = None
    """The program's own code, which gets each message instead; such a group has one member."""
    rule: Rule | None = None
    """What decides subject by subject; None if all of the pattern may be delivered."""
    without: PatternSet | None = None
    """Patterns whose messages come to these members by another subscription."""
    within: PatternSet | None = None
    """What these members follow, where the pattern itself is no longer among it: see `Route`."""
    stored: PatternSet | None = None
    """Patterns whose messages come to these members from streams."""
    had: frozenset[Copy] = NO_COPIES
    """Copies that are yet to come of messages that these members have had already."""

    @property
    def is_open(self) -> bool:
        """Whether every message that the pattern brings goes to these members."""
        others = self.within is None and self.stored is None
        return self.rule is None and self.without is None and others

    def takes(self, subject: str, decided: Decided) -> bool:
        """Tell whether messages on `subject` go to these members."""
        if self.rule is not None and not self.rule.allows(subject, decided):
            return False
        if self.without is not None and self.without.matches(subject):
            return False
        if self.stored is not None and self.stored.matches(subject):
            return False
        return self.within is None or self.within.matches(subject)


class Writer(Protocol):
    """What sees to it that a group is written."""

    next_number: Callable[[], int]

    def add(self, group: Group) -> None: ...
    def flush(self, group: Group | None = None) -> None: ...


class Group:
    """The members with one key. Pieces are appended as they come, and written by the flusher."""

    __slots__ = ("_bytes", "_counters", "_flusher", "is_open", "key", "members", "mixed", "runs")

    def __init__(self, key: GroupKey, counters: Counters, flusher: Writer) -> None:
        self.key = key
        self.is_open = key.is_open
        self.members: dict[Member, None] = {}
        self.mixed = 0
        """How many of the members are in other groups, too."""
        self.runs: list[tuple[int, list[bytes]]] = []
        """Pieces to be written; each run with its place in the order of all groups' runs."""
        self._bytes = 0
        self._counters = counters
        self._flusher = flusher

    @property
    def framing(self) -> Framing:
        """How pieces for this group are made."""
        return self.key.framing

    def enter(self, member: Member) -> None:
        """Take in a member: what comes from now on is for it, too."""
        if self.runs:
            self._flusher.flush()
        self.members[member] = None

    def part(self, member: Member) -> None:
        """Let go of a member; it gets what came before."""
        self.hand_over(member)
        del self.members[member]

    def hand_over(self, member: Member) -> None:
        """See to it that a member has got what came before."""
        if self.runs:
            self._flusher.flush()

    def append(self, pieces: list[Any]) -> None:
        """Take messages, to be written soon; at once where they are many."""
        flusher = self._flusher
        if not self.runs:
            flusher.add(self)
        self.runs.append((flusher.next_number(), pieces))
        self._bytes += sum(map(len, pieces))
        if self._bytes >= min(FULL_WRITE_BYTES * len(self.members), MAX_WRITE_BYTES):
            flusher.flush(self)

    def filter(self, count: int) -> None:
        """Count messages that do not go to the members."""
        due = count * len(self.members)
        self._counters.expected += due
        self._counters.filtered += due

    def miss(self, count: int) -> None:
        """Count messages that were lost before they came here, and tell the members of them."""
        self._counters.expected += count * len(self.members)
        self._flusher.flush()
        for member in self.members:
            member.miss(count)

    def sift(self, pieces: list[Any], copies: list[Copy]) -> list[Any]:
        """Return those of `pieces` that the members have not had; `copies`: what each is one of."""
        had = self.key.had
        fresh = [piece for piece, copy in zip(pieces, copies, strict=True) if copy not in had]
        self.filter(len(pieces) - len(fresh))
        return fresh

    def take(self) -> list[bytes]:
        """Return what has been appended, and forget it."""
        runs, self.runs = self.runs, []
        self._bytes = 0
        return joined_runs(runs)

    def write(self, pieces: list[bytes], others: dict[Member, Any]) -> None:
        """Write `pieces` to all members but `others`."""
        members: Collection[Member] = self.members
        if others:
            members = [member for member in members if member not in others]
        write(pieces, self.key.framing, members, self._counters)


class CallbackGroup(Group):
    """One member with the program's own code, which is called with each message as it comes."""

    __slots__ = ("_callback",)

    def __init__(self, key: GroupKey, counters: Counters, flusher: Writer) -> None:
        super().__init__(key, counters, flusher)
        assert key.callback is not None
        self._callback = key.callback

    @property
    def framing(self) -> Framing:
        """How pieces for this group are made."""
        return CALLS

    def append(self, pieces: list[Any]) -> None:
        """Call the callback with each message."""
        self._counters.expected += len(pieces)
        callback = self._callback
        for message in pieces:
            callback(message)


def joined_runs(runs: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """Return the pieces of several runs."""
    return runs[0][1] if len(runs) == 1 else list(chain.from_iterable(run[1] for run in runs))


def write(
    pieces: list[bytes], framing: Framing, members: Collection[Member], counters: Counters
) -> None:
    """Write the same pieces to each of `members`."""
    if not pieces or not members:
        return
    counters.expected += len(pieces) * len(members)
    data = framing.join(pieces)
    if len(data) <= MAX_DIRECT_BYTES:
        write_directly(pieces, data, members, counters)
        return
    for member in members:
        member.deliver(pieces, data)


def write_directly(
    pieces: list[bytes], data: bytes, members: Collection[Member], counters: Counters
) -> None:
    """Write `data`, which is `pieces` joined, to each of `members`: to its outlet, if that is open.

    Each member costs cache misses, so only its outlet is touched.
    """
    write, size, count = os.write, len(data), len(pieces)
    done = 0
    for member in members:
        outlet = member.outlet
        if outlet.descriptor is None:
            member.deliver(pieces, data)
            continue
        try:
            taken = write(outlet.descriptor, data)
        except OSError:
            taken = 0  # there is no room, or nobody: the transport will see
        if taken == size:
            outlet.delivered += count
            done += 1
        else:
            counters.sent_bytes += taken
            member.deliver(pieces, data[taken:])
    counters.delivered += count * done
    counters.sent_bytes += size * done
