"""Every stream that is followed, and which connections follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bridge.audiences import bookmark
from bridge.audiences.answers import Begun, Followed, described
from bridge.audiences.beside import hand_back, plain_beside, until_live
from bridge.audiences.finding import open_reading, stream_of
from bridge.audiences.follower import Follower
from bridge.audiences.places import Place, places
from bridge.audiences.stages import Stages
from bridge.fanout.follow import Follow
from bridge.history.errors import HistoryError
from bridge.wire import responses
from bridge.wire.patterns import PatternSet

if TYPE_CHECKING:
    from bridge.fanout.hub import Hub
    from bridge.fanout.member import Member
    from bridge.history.history import History
    from bridge.wire.envelope import Message
    from bridge.wire.wants import Wants
    from bridge.wire.wishes import Past


class StreamHub:
    """Follows streams for connections. `make_history` makes of a NATS client what reads them; None:
    nothing does. `client` returns that client, or None while there is none.

    The requests of one member have to come one by one (`Connection.changes`).
    """

    def __init__(
        self,
        make_history: Callable[[Any], History] | None,
        client: Callable[[], Any],
        hub: Hub,
    ) -> None:
        self._make_history = make_history
        self._client = client
        self._made: History | None = None
        self._hub = hub
        self.stages = Stages(lambda: self._made, hub)
        self._followers: dict[Member, dict[str, Follower]] = {}
        """Of each member, by stream."""

    def history(self) -> History | None:
        """Return what reads streams; None while there is no NATS client, or if nothing does."""
        client = self._client()
        if self._made is None and self._make_history is not None and client is not None:
            self._made = self._make_history(client)
        return self._made

    # What members ask for

    def patterns(self, member: Member) -> list[str]:
        """Return what a member follows of streams."""
        followers = self._followers.get(member, {}).values()
        return [pattern for each in followers for pattern in each.patterns]

    def is_live(self, member: Member) -> bool:
        """Tell whether a member has all there is of the streams that it follows."""
        followers = self._followers.get(member, {}).values()
        return all(not each.patterns or each.is_live(each.patterns) for each in followers)

    def _of(self, member: Member, pattern: str) -> Follower | None:
        followers = self._followers.get(member, {}).values()
        return next((each for each in followers if pattern in each.patterns), None)

    async def follow(
        self, member: Member, patterns: Sequence[str], wants: Wants, past: Past
    ) -> Followed:
        """Follow patterns with their past; what it has is on its way when this returns."""
        found = Followed([], [], {})
        bookmark.come_back(member, past)
        history = self.history()
        streams: dict[str, list[str]] = {}
        others = tuple(self._followers.get(member, {}).values())
        is_off = self._make_history is None
        asking = (
            stream_of(history, member, pattern, past, others, is_off=is_off) for pattern in patterns
        )
        for pattern, stream in zip(patterns, await asyncio.gather(*asking), strict=True):
            if isinstance(stream, str):
                streams.setdefault(stream, []).append(pattern)
            else:
                found.refuse(pattern, past, stream, is_connected=self._hub.is_connected)
        async with asyncio.TaskGroup() as group:  # one that is silent holds up no other
            for those in streams.values():
                assert history is not None
                group.create_task(self._begin(history, member, those, wants, past, found))
        if not any(each.code == "nats_down" for each in found.refused.values()):
            bookmark.forget_others(member, self._followers.get(member, {}))
        return found

    async def _begin(
        self,
        history: History,
        member: Member,
        patterns: list[str],
        wants: Wants,
        past: Past,
        found: Followed,
    ) -> None:
        try:
            rights = await history.rights()
            reading, owed = await open_reading(history, member, patterns, past, self._hub)
        except HistoryError as error:
            for pattern in patterns:
                found.refuse(pattern, past, error, is_connected=self._hub.is_connected)
            return
        stage = self.stages.of(reading.keeper, rights)
        followers = self._followers.setdefault(member, {})
        follower = followers.get(stage.tail.stream)
        if follower is None:
            follower = followers[stage.tail.stream] = Follower(member, stage, self._lost)
            stage.followers[follower] = None
        start = follower.begin(reading, {each: Follow(each, wants) for each in patterns}, owed)
        self._changed(member)
        if reading.keeper.is_gone:  # in the meantime
            start = partial(asyncio.get_running_loop().call_soon, follower.gone)
        found.begun.extend(Begun(each, described(reading, each, past), start) for each in patterns)

    def change(self, member: Member, pattern: str, wants: Wants) -> bool:
        """Have a pattern in another way from now on, if it is followed with its past; tell so."""
        follower = self._of(member, pattern)
        if follower is not None:
            follower.change(pattern, Follow(pattern, wants))
        return follower is not None

    async def leave(self, member: Member, patterns: Iterable[str]) -> list[str]:
        """Stop delivering those of `patterns` that are followed with their past; return them.

        What plain patterns match, too, comes by them from then on.
        """
        messages: list[Message] = []
        handed: list[str] = []
        for follower in tuple(self._followers.get(member, {}).values()):
            its = [each for each in patterns if each in follower.patterns]
            beside = plain_beside(member, its)
            if beside:
                await until_live(follower, its)
                its = [each for each in its if each in follower.patterns]
                if its:  # its stream may have been deleted in the meantime
                    reading, leave = follower.readings.any, follower.leave
                    messages += await hand_back(member, its, beside, reading, leave, self._hub)
                handed += its
        others = self.unfollow(member, patterns)
        if handed:
            self._changed(member)
            self._hub.catch_up(member, messages)
        return handed + others

    def unfollow(self, member: Member, patterns: Iterable[str]) -> list[str]:
        """Do the same at once."""
        followers, found = self._followers.get(member, {}), []
        for follower in tuple(followers.values()):
            its = [each for each in patterns if each in follower.patterns]
            if its:
                found += its
                follower.leave(its)
            if not follower.patterns:
                self._forget(follower)
        if found:
            self._changed(member)
        return found

    def unfollow_all(self, member: Member) -> None:
        """Let go of a member that has ended."""
        for follower in tuple(self._followers.get(member, {}).values()):
            follower.end()
            self._forget(follower)

    def change_policy(self, member: Member) -> list[str]:
        """Take note that a member is under another policy; return the patterns that it lost."""
        patterns = self.patterns(member)
        may = set(filter(member.may_read, filter(member.policy.may_follow, patterns)))
        lost = self.unfollow(member, [each for each in patterns if each not in may])
        for follower in self._followers.get(member, {}).values():
            follower.look_again()
        return lost

    def _lost(self, follower: Follower) -> None:
        if not follower.patterns:
            self._forget(follower)
        self._changed(follower.member)

    def _forget(self, follower: Follower) -> None:
        """Let go of a follower that has ended, and of what nobody needs any more."""
        stage, member = follower.stage, follower.member
        stage.followers.pop(follower, None)
        followers = self._followers.get(member, {})
        if followers.get(stage.tail.stream) is follower:
            del followers[stage.tail.stream]
            follower.bookmark.remove()
            if not followers:
                del self._followers[member]
        self.stages.drop_if_unused(stage)

    def _changed(self, member: Member) -> None:
        """Have the plain patterns of a member pass over what comes from streams."""
        member.streamed = tuple(self.patterns(member))
        followers = self._followers.get(member, {}).values()
        stored = [pattern for follower in followers for pattern in follower.readings.brings]
        member.stored = PatternSet(stored) if stored else None
        self._hub.look_again(member)

    # What there is

    def places(self, member: Member) -> list[Place]:
        """Return where a member is in the streams that it follows."""
        followers = self._followers.get(member, {}).values()
        return [place for each in followers for place in places(each)]

    @property
    def streams(self) -> int:
        """How many streams are followed."""
        return len(self._made.tails) if self._made is not None else 0

    # What NATS does

    def nats_changed(self, *, up: bool) -> None:
        """Take note that the connection to NATS is lost, or that there is another one."""
        if up and self._made is not None:
            self._made.reconnected()
            self.stages.look_soon()

    def nats_line(self, member: Member, *, up: bool) -> bytes:
        """Return what a member is told of that: all of a stream comes yet, the rest was missed."""
        if not up:
            return responses.NATS_DOWN
        has_gap = bool(member.follows) or member not in self._followers
        return responses.NATS_UP if has_gap else responses.NATS_UP_WITHOUT_GAP

    async def stop(self) -> None:
        """End everything. Idempotent."""
        self.stages.stop()
        for member in tuple(self._followers):
            self.unfollow_all(member)
        if self._made is not None:
            await self._made.close()
