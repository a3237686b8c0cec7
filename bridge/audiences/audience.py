"""Connections that follow the same of a stream, in the same way: its messages are made once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from bridge.fanout.group import Group, GroupKey, Writer
from bridge.wire.subjects import matches

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy
    from bridge.audiences.bookmark import Bookmark
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters
    from bridge.wire.framing import Framing


class AudienceKey(NamedTuple):
    """What the members of an audience have in common."""

    follows: tuple[Follow, ...]
    """What they follow of the stream; the first that matches a subject says how it is wanted."""
    framing: Framing
    policy: SubjectPolicy | None = None
    """What decides subject by subject; None if all of what they follow may be delivered."""

    def meta_of(self, subject: str) -> tuple[str, ...]:
        """Return what is told of messages on a subject that they follow."""
        return meta_of(self.follows, subject) or ()

    def takes(self, subject: str) -> bool:
        """Tell whether a message on a subject that they follow may be delivered to them."""
        return self.policy is None or self.policy.may_receive(subject)


def key_for(member: Member, follows: Collection[Follow]) -> AudienceKey | None:
    """Return the key of the audience that is right for a member; None if it follows nothing."""
    if not follows:
        return None
    policy = member.policy
    asks = any(policy.rule(each.pattern) is not None for each in follows)
    return AudienceKey(tuple(follows), member.framing, policy if asks else None)


class Follows(Protocol):
    """A member as its audience sees it."""

    @property
    def member(self) -> Member: ...

    @property
    def bookmark(self) -> Bookmark:
        """What is written to it goes through it."""

    def fall_behind(self, until: int) -> None:
        """Take note that it has had what came up to `until`, and has no room for more."""


class Audience(Group):
    """A group whose members leave it rather than lose a message.

    `written`: all up to this sequence has been handed to the members.
    """

    __slots__ = ("_appended", "followers", "told_as", "written")

    def __init__(
        self, key: AudienceKey, position: int, counters: Counters, flusher: Writer
    ) -> None:
        super().__init__(GroupKey(key.follows[0], key.framing), counters, flusher)
        self.told_as = key
        self.written = self._appended = position
        self.followers: dict[Member, Follows] = {}

    def take_in(self, follower: Follows) -> None:
        """Take in a member: what comes from now on is for it, too."""
        self.enter(follower.member)
        self.followers[follower.member] = follower

    def let_go(self, member: Member) -> None:
        """Let go of a member, once it has what came before, or has fallen behind. Idempotent."""
        self.hand_over(member)
        self.members.pop(member, None)
        self.followers.pop(member, None)

    def append_stored(self, pieces: list[Any], sequence: int) -> None:
        """Take messages; the last one has this sequence."""
        self._appended = sequence
        self.append(pieces)

    def begin_at(self, position: int) -> None:
        """Take note that nothing else comes of what is not behind this sequence."""
        self.written = self._appended = position

    def write(self, pieces: list[bytes], others: dict[Member, Any]) -> None:
        """Write to every member that has room; the others fall behind."""
        if not pieces:
            return
        before, self.written = self.written, self._appended
        data = self.key.framing.join(pieces)
        count, taken, late = len(pieces), 0, []
        for member, follower in self.followers.items():
            if follower.bookmark.offer(pieces, data):
                taken += 1
            else:
                late.append(member)
        self._counters.expected += count * taken
        for member in late:
            follower = self.followers.pop(member)
            del self.members[member]
            follower.fall_behind(before)


def meta_of(follows: Iterable[Follow], subject: str) -> tuple[str, ...] | None:
    """Return what is told of messages on a subject; None if none of `follows` matches it."""
    return next((each.wants.meta for each in follows if matches(each.pattern, subject)), None)
