"""Every NATS subscription of the gateway, and which connections follow it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import nats.errors

from bridge.fanout.audience import Audience, Key
from bridge.fanout.feed import FLUSH_TIMEOUT_SECONDS, Feed
from bridge.fanout.flusher import Flusher
from bridge.fanout.handover import SkipsOneCopy, is_between_copies, lone_copy
from bridge.wire.envelope import Message
from bridge.wire.responses import Refusal, shorten
from bridge.wire.subjects import overlap

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters

MAX_LANES = 20000
"""Of all feeds: subjects that messages came on, times the patterns that brought them."""


class Hub:
    """One feed for each distinct pattern: the first follower opens it, the last one closes it.

    `client` returns the NATS client, or None while there is none. The requests of one member
    have to come one by one (`Connection.changes`); those of different ones need not.
    """

    def __init__(self, client: Callable[[], Any], counters: Counters) -> None:
        self.ssid_map: dict[int, dict[str, Callable[[Message], None]]] = {}
        self._by_pattern: dict[str, Feed] = {}
        self._audiences: dict[Key, Audience] = {}
        self._audience_of: dict[Member, Audience] = {}
        """Those that a member shares its patterns with; none while it follows nothing."""
        self._changes = asyncio.Lock()
        """Held from "is there a feed?" until there is one: two first followers share it."""
        self._closing: asyncio.Task[None] | None = None
        self._client = client
        self._counters = counters
        self._flusher = Flusher(counters)
        self._lanes_made = 0
        """Since all lanes were forgotten."""

    def flush(self) -> None:
        """Write what is pending to all connections now."""
        self._flusher.flush()

    async def follow(self, member: Member, pattern: str) -> None:
        """Deliver `pattern` to `member`; returns when the NATS server has accepted it.

        Raises Refusal, and leaves no trace then.
        """
        async with self._changes:
            feed = self._by_pattern.get(pattern) or Feed(
                pattern, self._counters, self._revoked, self._make_room
            )
            await feed.open(self._client())
            self._by_pattern[pattern] = feed
            self.ssid_map[feed.ssid] = feed.followers
            feed.followers[member.id] = member.deliver_message
            self._move(member, (*member.patterns, pattern))

    async def unfollow(self, member: Member, pattern: str) -> None:
        """Stop delivering `pattern`; what another pattern of `member` matches goes on coming.

        Raises Refusal if it was not followed.
        """
        if pattern not in member.patterns:
            text = f"The user did not subscribe to event {shorten(pattern)}"
            raise Refusal("not_subscribed", text, [pattern])
        await self._part(member, (pattern,))
        await self._leave(member, (pattern,))

    async def unfollow_all(self, member: Member) -> None:
        """Let go of a member that has ended."""
        await self._leave(member, member.patterns)

    async def change_policy(self, member: Member, policy: SubjectPolicy) -> tuple[str, ...]:
        """Put `member` under another policy, at once; return the patterns that it lost.

        What overlaps a lost pattern may take a moment to go over to the others. Meanwhile each
        message is looked at under the new policy, whatever pattern brings it.
        """
        member.policy = policy
        self._move(member, member.patterns)
        lost = tuple(each for each in member.patterns if not policy.may_follow(each))
        await self._part(member, lost)
        await self._leave(member, lost)
        return lost

    async def _leave(self, member: Member, gone: tuple[str, ...]) -> None:
        """Let go of the patterns `gone` before anything is waited for; then tell NATS."""
        # Asked again: the server may have taken one of them away meanwhile.
        feeds = [self._by_pattern[each] for each in member.patterns if each in gone]
        self._move(member, tuple(each for each in member.patterns if each not in gone))
        for feed in feeds:
            feed.followers.pop(member.id, None)
        async with self._changes:
            for feed in feeds:
                await self._close_if_unused(feed)

    def _make_room(self) -> None:
        """Keep the lanes of all feeds within bounds: subjects and patterns can both be many."""
        self._lanes_made += 1
        if self._lanes_made > MAX_LANES:
            self._lanes_made = 1
            for feed in self._by_pattern.values():
                feed.forget_lanes()

    def _revoked(self, feed: Feed) -> None:
        """Tell the followers of a feed that the server does not allow any more, and drop it."""
        for audience in feed.audiences:
            rest = tuple(each for each in audience.patterns if each != feed.pattern)
            heirs = [self._by_pattern[each] for each in rest]
            missed, had = lone_copy(feed, heirs, audience)
            for member in tuple(audience.members):
                self._move(member, rest, had)
                if missed is not None:
                    self._counters.expected += 1
                    member.deliver_message(missed)
                member.respond(feed.refusal().line())
        feed.followers.clear()
        self._closing = asyncio.get_running_loop().create_task(self._close_revoked(feed))

    async def _close_revoked(self, feed: Feed) -> None:
        async with self._changes:
            await self._close_if_unused(feed)
        await self._round_trip()
        # Every copy has come that was under way.
        for audience in tuple(self._audiences.values()):
            for member in tuple(audience.members) if isinstance(audience, SkipsOneCopy) else ():
                self._move(member, member.patterns)

    async def _part(self, member: Member, gone: tuple[str, ...]) -> None:
        """Wait for a moment at which every copy of what `gone` brought has come by the other ones.

        Mostly that is now; under load, where what was read ended between two copies, it is after
        one of the next reads. What still has no copy after a flush will not get one: it is from
        before the other feed was there.
        """
        parting = [self._by_pattern[each] for each in gone]
        staying = [self._by_pattern[each] for each in member.patterns if each not in gone]
        pairs = [
            (one, other)
            for one, other in product(parting, staying)
            if overlap(one.pattern, other.pattern)
        ]
        while any(feed.waiting for feed in {*parting, *chain(*pairs)}):
            await asyncio.sleep(0)
        for turn in range(1, 1000):
            if not any(is_between_copies(*pair) for pair in pairs):
                return
            await asyncio.sleep(0)
            if turn % 100 == 0:
                before = self._counters.overlapping
                await self._round_trip()
                if before == self._counters.overlapping:
                    return

    async def _round_trip(self) -> None:
        """Wait until NATS has answered, and so all has come that it sent before; or 2 seconds."""
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            await self._client().flush(FLUSH_TIMEOUT_SECONDS)

    def _move(self, member: Member, patterns: tuple[str, ...], had: Message | None = None) -> None:
        """Take `member` from its audience to the one for `patterns`.

        `had`: a message it has had already, by a pattern it lost, and that will come once more.
        """
        old = self._audience_of.pop(member, None)
        member.patterns = patterns
        if old is not None:
            old.flush()
            del old.members[member]
            if not old.members:
                del self._audiences[old.key]
                for pattern in old.patterns:
                    self._by_pattern[pattern].remove(old)
        if patterns:
            audience = self._known(self._new_audience(member, patterns, had))
            audience.flush()
            audience.members[member] = None
            self._audience_of[member] = audience

    def _new_audience(
        self, member: Member, patterns: tuple[str, ...], had: Message | None
    ) -> Audience:
        if had is not None:
            return SkipsOneCopy(member, patterns, self._counters, self._flusher, had)
        return Audience.for_one(member, patterns, self._counters, self._flusher)

    def _known(self, candidate: Audience) -> Audience:
        """Return the audience there is with the same key, or else `candidate`, made known."""
        audience = self._audiences.setdefault(candidate.key, candidate)
        if audience is candidate:
            for pattern in audience.patterns:
                self._by_pattern[pattern].add(audience)
        return audience

    async def _close_if_unused(self, feed: Feed) -> None:
        if not feed.audiences and self._by_pattern.get(feed.pattern) is feed:
            del self._by_pattern[feed.pattern]
            del self.ssid_map[feed.ssid]
            await feed.close()
