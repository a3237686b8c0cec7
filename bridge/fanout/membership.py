"""What one member follows: a group for each pattern, and how it goes from one to another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from bridge.fanout.follow import Follow
from bridge.fanout.group import GroupKey
from bridge.fanout.places import Places
from bridge.fanout.route import Route, width
from bridge.wire.envelope import Message
from bridge.wire.pattern_bits import PatternBits
from bridge.wire.patterns import PatternSet
from bridge.wire.wants import PLAIN, Wants

if TYPE_CHECKING:
    from bridge.access.policy import Rule
    from bridge.fanout.copies import Copy
    from bridge.fanout.crossings import Crossings
    from bridge.fanout.feed import Feed
    from bridge.fanout.flusher import Flusher
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters
    from bridge.wire.framing import Framing


class Surroundings(Protocol):
    """What a membership needs of the hub."""

    counters: Counters
    flusher: Flusher
    crossings: Crossings

    def await_settling(self, membership: Membership) -> None: ...
    def close_if_unused(self, feed: Feed) -> None: ...


class Membership:
    """What one member follows, and the groups that are right for that."""

    __slots__ = ("_hub", "_member", "_places", "_route")

    def __init__(self, member: Member, hub: Surroundings) -> None:
        self._member = member
        self._hub = hub
        self._places = Places(member, hub)
        self._route: Route | None = None
        """None while none of its patterns overlap, as usual."""

    # What it follows

    def join(self, feeds: list[Feed], wants: Wants) -> None:
        """Follow further patterns."""
        new = sorted((feed.pattern for feed in feeds), key=width)
        beside = self._beside(new)
        for feed in feeds:
            self._member.follows[feed.pattern] = Follow(feed.pattern, wants)
            self._places.take(feed)
        if beside:
            self._route = self._route or Route(self._rank)
            there = beside.keys() - set(new)
            self._reroute(lambda route: route.add(new, beside), there)
        route = self._route.crosses if self._route is not None else {}
        self._regroup(feed.pattern for feed in feeds if feed.pattern not in route)

    def _beside(self, new: list[str]) -> dict[str, set[str]]:
        """Return those of `new` that overlap others, and of what is there those that overlap them.

        Each with the patterns that it overlaps: all of them, or those of `new`.
        """
        bits = PatternBits(new)
        found: dict[str, set[str]] = {}
        for pattern in new:
            beside = set(bits.overlapping(pattern))
            beside.discard(pattern)
            if beside:
                found[pattern] = beside
        among = set(new)
        for known in self._places.taken:
            if known not in among:
                beside = set(bits.overlapping(known))
                for each in beside:
                    found.setdefault(each, set()).add(known)
                if beside:
                    found[known] = beside
        return found

    def change(self, patterns: Iterable[str], wants: Wants) -> None:
        """Have patterns that are followed in another way from now on."""
        follows = self._member.follows
        changed = [each for each in patterns if follows[each].wants != wants]
        for pattern in changed:
            follows[pattern] = Follow(pattern, wants)
        if self._route is not None and not self._route.crosses.keys().isdisjoint(changed):
            self._reroute(lambda _: None)
        self._regroup(changed)

    def _rank(self, pattern: str) -> tuple[object, ...]:
        """Return the sort key of a pattern in a route: by what it asks for, then the widest."""
        follow = self._member.follows.get(pattern)
        wants = follow.wants if follow is not None else PLAIN
        return *wants.rank, width(pattern)

    def leave(self, patterns: Iterable[str]) -> None:
        """Stop following `patterns`; what the others match goes on coming."""
        patterns = list(patterns)
        for pattern in patterns:
            del self._member.follows[pattern]
        if self._route is not None:
            crossing = [each for each in patterns if each in self._route.crosses]
            if crossing:
                self._reroute(lambda route: route.leave(crossing))
        self._regroup(patterns)

    def lose(self, pattern: str) -> Follow | None:
        """Stop following a pattern by which nothing will come any more; return what it was."""
        followed = self._member.follows.pop(pattern, None)
        if self._route is not None and pattern in self._route.crosses:
            self._reroute(lambda route: route.remove(pattern))
        self._regroup([pattern])
        return followed

    def look_again(self) -> None:
        """Take note that the member is under another policy, or other messages are stored."""
        self._regroup(self._places.taken, has_new_rules=True)

    def end(self) -> None:
        """Let go of everything."""
        self._member.follows.clear()
        if self._route is not None:
            self._hub.crossings.unwatch(self._route.crosses)
            self._route = None
        self._regroup(self._places.taken)

    # Overlapping patterns

    def begin_anew(self) -> None:
        """Take note that the connection to NATS is another one."""
        if self._route is not None:
            self._route.is_steady = False
            self._hub.await_settling(self)

    def settle(self, until: float) -> bool:
        """All that was under way at that time has come; tell whether there is more to wait for."""
        route = self._route
        if route is None:
            return False
        if route.changed <= until:
            alone = route.tidy()
            self._hub.crossings.unwatch(alone)
            if not route.crosses:
                self._route = None
            self._regroup([*alone, *route.crosses])
            if not route.crosses:
                return False
            if not route.is_steady and self._have_settled(route):
                self._reroute(lambda _: None)
        return not route.is_steady or route.changed > until

    def _have_settled(self, route: Route) -> bool:
        return all(map(self._hub.crossings.has_settled, route.crosses))

    def _reroute(self, change: Callable[[Route], object], also: Iterable[str] = ()) -> None:
        """Change the route; what is under way is delivered once all the same.

        It may have come by the old source and not by the new one, or the other way round. `also`:
        patterns that were no part of the route so far, and become one.
        """
        route, crossings = self._route, self._hub.crossings
        assert route is not None
        before = set(route.crosses)
        route.put(also)
        there = set(route.crosses)
        under_way = [each for each in crossings.copies if route.source(each.subject) is not None]
        has = set(filter(route.has, under_way))
        was_steady = route.is_steady
        change(route)
        crossings.watch(map(self._places.feed, route.crosses.keys() - before))
        route.is_steady = False
        if self._have_settled(route):
            route.settle()
        missed = route.exchange(under_way, has, there, was_steady=was_steady)
        route.changed = crossings.now()
        crossings.unwatch(before - route.crosses.keys())
        self._hub.await_settling(self)
        if missed:
            self._catch_up(missed)
        self._regroup(before | route.crosses.keys())

    def _catch_up(self, missed: list[Copy]) -> None:
        """Deliver what had come by another pattern than its source before."""
        self._places.hand_over()
        for copy in missed:
            stored = self._member.stored
            comes_otherwise = stored is not None and stored.matches(copy.subject)
            if not comes_otherwise and self._member.policy.may_receive(copy.subject):
                self._hub.counters.expected += 1
                message = Message(copy.subject, copy.payload, self._meta_for(copy.subject))
                self._member.deliver_message(message)

    def _meta_for(self, subject: str) -> tuple[str, ...]:
        source = self._route.source(subject) if self._route is not None else None
        follow = self._member.follows.get(source or "")
        return follow.wants.meta if follow is not None else ()

    # Groups

    def _regroup(self, patterns: Iterable[str], *, has_new_rules: bool = False) -> None:
        """Put the member into the groups that are right now."""
        for pattern in tuple(patterns):
            if pattern in self._places.taken:
                group = None if has_new_rules else self._places.taken[pattern][1]
                rule = self._member.policy.rule(pattern) if group is None else group.key.rule
                self._places.put(pattern, self._key(pattern, rule))

    def _key(self, pattern: str, rule: Rule | None) -> GroupKey | None:
        """Return what the group for a pattern is known by; None if nothing is to come by it."""
        member, route = self._member, self._route
        follow = member.follows.get(pattern)
        if route is None or pattern not in route.crosses:
            if follow is None:
                return None
            return GroupKey(
                follow, self._framing(follow), member.callback, rule, stored=self._stored(pattern)
            )
        within = route.within(pattern)
        if follow is None and within is None:
            return None
        follow = follow or Follow(pattern)
        return GroupKey(
            follow,
            self._framing(follow),
            member.callback,
            rule,
            route.without(pattern),
            within,
            self._stored(pattern),
            route.had_by(pattern),
        )

    def _stored(self, pattern: str) -> PatternSet | None:
        """Return what comes from streams instead, if that makes a difference to a pattern."""
        stored = self._member.stored
        return stored if stored is not None and stored.overlaps(pattern) else None

    def _framing(self, follow: Follow) -> Framing:
        return self._member.framing.with_meta(follow.wants.meta)
