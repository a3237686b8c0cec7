"""Where one member is: in a group for each of its patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.fanout.group import Group, GroupKey

if TYPE_CHECKING:
    from bridge.fanout.feed import Feed
    from bridge.fanout.member import Member


class Closing(Protocol):
    """What closes a feed that nobody is at any more."""

    def close_if_unused(self, feed: Feed) -> None: ...


class Places:
    """Puts a member into groups and takes it out; the hub is told of each feed it has left.

    A group knows how many of its members are in others, too: see `Group.mixed`.
    """

    __slots__ = ("_groups", "_hub", "_member", "taken")

    def __init__(self, member: Member, hub: Closing) -> None:
        self._member = member
        self._hub = hub
        self.taken: dict[str, tuple[Feed, Group | None]] = {}
        """By pattern; no group yet, or just now, where the member is on its way to one."""
        self._groups = 0
        """How many groups it is in."""

    def take(self, feed: Feed) -> None:
        """Take a place at a feed, before it is known in which group. Idempotent."""
        self.taken.setdefault(feed.pattern, (feed, None))

    def feed(self, pattern: str) -> Feed:
        """Return the feed of a pattern for which there is a place."""
        return self.taken[pattern][0]

    def put(self, pattern: str, key: GroupKey | None) -> None:
        """Put the member into the group with that key; None: give the place up."""
        feed, old = self.taken[pattern]
        if old is not None and old.key == key:
            return
        if old is not None:
            self._part(feed, old)
        self.taken[pattern] = feed, None
        if key is None:
            del self.taken[pattern]
            self._hub.close_if_unused(feed)
        else:
            group = feed.group(key)
            self._enter(group)
            self.taken[pattern] = feed, group

    def hand_over(self) -> None:
        """See to it that the member has got what came before by all of its groups."""
        for _, group in self.taken.values():
            if group is not None:
                group.hand_over(self._member)

    def _enter(self, group: Group) -> None:
        group.enter(self._member)
        if self._groups == 1:
            self._other_than(group).mixed += 1
        if self._groups:
            group.mixed += 1
        self._groups += 1

    def _part(self, feed: Feed, group: Group) -> None:
        group.part(self._member)
        self._groups -= 1
        if self._groups == 1:
            self._other_than(group).mixed -= 1
        if self._groups:
            group.mixed -= 1
        feed.drop_if_empty(group)

    def _other_than(self, group: Group) -> Group:
        found = (each for _, each in self.taken.values() if each not in (None, group))
        other = next(found)
        assert other is not None
        return other
