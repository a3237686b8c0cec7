"""Every NATS subscription of the gateway, and which connections follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bridge.fanout.conflation import Held
from bridge.fanout.crossings import Crossings
from bridge.fanout.feed import Feed
from bridge.fanout.flusher import Flusher
from bridge.fanout.lanes import Lanes
from bridge.fanout.membership import Membership
from bridge.fanout.opener import Opener
from bridge.wire.envelope import Message
from bridge.wire.responses import Refusal, shorten
from bridge.wire.subjects import matches
from bridge.wire.wants import PLAIN, Wants

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy
    from bridge.fanout.lane import Lane
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters

MAX_PATTERNS = 100_000
"""Different patterns that a gateway follows: 2 KiB each, and a subscription at NATS."""


class Hub:
    """One feed for each distinct pattern: the first follower opens it, the last one closes it.

    `client` returns the NATS client, or None while there is none. The requests of one member
    have to come one by one (`Connection.changes`); those of different ones need not.
    """

    def __init__(self, client: Callable[[], Any], counters: Counters) -> None:
        self.counters = counters
        self.flusher = Flusher(counters)
        self.crossings = Crossings(self._round_trip, self._settled)
        self.held = Held()
        self._feeds: dict[str, Feed] = {}
        self._memberships: dict[Member, Membership] = {}
        self._unsettled: dict[Membership, None] = {}
        """Those with something that is to be done once copies have settled."""
        self.on_postponed: Callable[[Any, str, Wants], None] = lambda member, pattern, wants: None
        """Called for each member that has lost a pattern which may be followed again later."""
        self._lanes = Lanes()
        self._opener = Opener(client, counters, self.close_if_unused)

    @property
    def ssid_map(self) -> dict[int, dict[str, Callable[[Message], None]]]:
        """NATS subscription id to its followers: connection id to what takes a message there."""
        found: dict[int, dict[str, Callable[[Message], None]]] = {
            feed.ssid: {} for feed in self._feeds.values() if feed.is_open
        }
        for member in self._memberships:
            for pattern in member.follows:
                found[self._feeds[pattern].ssid][member.id] = member.deliver_message
        return found

    @property
    def is_connected(self) -> bool:
        """Whether NATS is there."""
        return self._opener.is_connected

    @property
    def patterns(self) -> int:
        """How many patterns are followed."""
        return len(self._feeds)

    def seen(self) -> set[str]:
        """Return the subjects on which messages came of late."""
        return self._lanes.seen()

    def flush(self) -> None:
        """Write what is pending to all connections now, and what waits for its time."""
        self.held.send_all()
        self.flusher.flush()

    def stop(self) -> None:
        """Wait for nothing more. Idempotent."""
        self.crossings.stop()
        self._opener.stop()

    # What members ask for

    async def follow(
        self, member: Member, patterns: Iterable[str], wants: Wants = PLAIN
    ) -> dict[str, Refusal]:
        """Deliver `patterns` to `member` as it `wants`; those it follows already change to that.

        Returns when the NATS server has accepted them; with the refusals of those that it has not,
        which leave no trace.
        """
        known: list[str] = []
        refused: dict[str, Refusal] = {}
        feeds: list[Feed] = []
        for pattern in patterns:
            feed = self._feed(pattern)
            if feed is None:
                text = f"This gateway follows {MAX_PATTERNS} patterns, and no further ones."
                refused[pattern] = Refusal("limit", text, [pattern], counted_as="patterns")
            elif pattern in member.follows:
                known.append(pattern)
            else:
                feed.holds += 1
                feeds.append(feed)
        if known:
            self._memberships[member].change(known, wants)
        could_ask = self._opener.is_connected
        try:
            await self._opener.open(feeds)
            accepted = [each for each in feeds if each.is_open and each.refused is None]
            if accepted:
                self._membership(member).join(accepted, wants)
        finally:
            for feed in feeds:
                feed.holds -= 1
                self.close_if_unused(feed)
        for feed in feeds:
            if feed not in accepted:
                refused[feed.pattern] = feed.refusal(could_ask=could_ask)
        return refused

    def _feed(self, pattern: str) -> Feed | None:
        """Return the feed for a pattern, made known if it is new; None if they are too many."""
        feed = self._feeds.get(pattern)
        if feed is None and len(self._feeds) < MAX_PATTERNS:
            feed = self._feeds[pattern] = Feed(pattern, self)
        return feed

    def _membership(self, member: Member) -> Membership:
        membership = self._memberships.get(member)
        if membership is None:
            membership = self._memberships[member] = Membership(member, self)
        return membership

    def unfollow(self, member: Member, patterns: Iterable[str]) -> dict[str, Refusal]:
        """Stop delivering `patterns`; what another pattern of `member` matches goes on coming.

        Returns the refusals of those that were not followed.
        """
        followed, refused = [], {}
        for pattern in patterns:
            if pattern in member.follows:
                followed.append(pattern)
            else:
                text = f"The user did not subscribe to event {shorten(pattern)}"
                refused[pattern] = Refusal("not_subscribed", text, [pattern])
        if followed:
            self._memberships[member].leave(followed)
        return refused

    def unfollow_all(self, member: Member) -> None:
        """Let go of a member that has ended."""
        membership = self._memberships.pop(member, None)
        if membership is not None:
            self._unsettled.pop(membership, None)
            membership.end()

    def look_again(self, member: Member) -> None:
        """Take note that other messages of a member come from streams than before."""
        membership = self._memberships.get(member)
        if membership is not None:
            membership.look_again()

    def catch_up(self, member: Member, messages: list[Message]) -> None:
        """Deliver what plain patterns brought while streams were to bring it, and did not."""
        if messages:
            self.flusher.flush()
        for message in messages:
            follows = member.follows.values()
            subject = message.subject
            follow = next((each for each in follows if matches(each.pattern, subject)), None)
            if follow is not None and member.policy.may_receive(message.subject):
                self.counters.expected += 1
                message.meta = follow.wants.meta
                member.deliver_message(message)

    def change_policy(self, member: Member, policy: SubjectPolicy) -> tuple[str, ...]:
        """Put `member` under another policy, at once; return the patterns that it lost."""
        member.policy = policy
        lost = tuple(each for each in member.follows if not policy.may_follow(each))
        if member.follows:
            membership = self._memberships[member]
            membership.leave(lost)
            membership.look_again()
        return lost

    # What feeds and memberships need of it

    def keep(self, lane: Lane) -> None:
        """Keep a lane that was made."""
        self._lanes.keep(lane)

    def await_settling(self, membership: Membership) -> None:
        """Call `settle` of a membership as soon as what is under way now has come."""
        self._unsettled[membership] = None
        self.crossings.run()

    def close_if_unused(self, feed: Feed) -> None:
        """End a feed that nobody follows or waits for."""
        is_unused = not (feed.groups or feed.holds or feed.opening)
        if is_unused and self._feeds.get(feed.pattern) is feed:
            del self._feeds[feed.pattern]
            self._lanes.forget_all(list(feed.lanes.values()))
            self._opener.close(feed)

    # What NATS does

    def revoked(self, feed: Feed) -> None:
        """Tell the followers of a feed that the server does not bring any more, and drop it."""
        members = [member for group in feed.groups.values() for member in group.members]
        for member in members:
            follow = self._memberships[member].lose(feed.pattern)
            if follow is not None:
                member.respond(feed.refusal().line())
                if feed.refused == "nats_down":
                    self.on_postponed(member, feed.pattern, follow.wants)

    def nats_changed(self, *, up: bool) -> None:
        """Take note that the connection to NATS is lost, or that there is another one."""
        self.flush()
        self.crossings.begin_anew()
        for membership in self._memberships.values() if up else ():
            membership.begin_anew()

    async def _round_trip(self) -> bool:
        return await self._opener.round_trip(list(self._feeds.values()))

    def _settled(self, until: float) -> bool:
        """Tell memberships that all up to that time has come; return True while one has to wait."""
        for membership in tuple(self._unsettled):
            if not membership.settle(until):
                del self._unsettled[membership]
        return bool(self._unsettled)
