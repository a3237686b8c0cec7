"""Every stream that is followed, and which connections follow it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.audiences.beside import Owed, find_owed, hand_back, plain_beside
from bridge.audiences.follower import Follower
from bridge.audiences.stage import Stage
from bridge.fanout.follow import Follow
from bridge.history.errors import TOO_MANY_CONSUMERS, ApiError, HistoryError, UnansweredError
from bridge.history.streams import NoHistoryError
from bridge.wire.patterns import PatternSet
from bridge.wire.responses import Refusal, shorten
from bridge.wire.subjects import overlap
from bridge.wire.wishes import After, Auto, LastPerSubject, New

if TYPE_CHECKING:
    from bridge.fanout.hub import Hub
    from bridge.fanout.member import Member
    from bridge.history.history import History, Reading
    from bridge.history.keeper import Keeper
    from bridge.wire.envelope import Message
    from bridge.wire.wants import Wants
    from bridge.wire.wishes import Past

REMIND_SECONDS = 60.0
"""After which a connection that got nothing is told how far it is."""


class Begun(NamedTuple):
    """A pattern whose past is on its way."""

    pattern: str
    history: dict[str, object]
    """What its response says of it."""


class Followed(NamedTuple):
    """What became of patterns that were asked for with their past."""

    begun: list[Begun]
    plain: list[str]
    """Those that have no history, of which none had to be."""
    refused: dict[str, Refusal]


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
        self._stages: dict[Keeper, Stage] = {}
        self._followers: dict[Member, dict[str, Follower]] = {}
        """Of each member, by stream."""
        self._reminding: asyncio.Task[None] | None = None

    def _history(self) -> History | None:
        client = self._client()
        if self._made is None and self._make_history is not None and client is not None:
            self._made = self._make_history(client)
        return self._made

    # What members ask for

    def follows(self, member: Member, pattern: str) -> bool:
        """Tell whether a pattern is followed with its past."""
        return self._of(member, pattern) is not None

    def patterns(self, member: Member) -> list[str]:
        """Return what a member follows of streams."""
        followers = self._followers.get(member, {}).values()
        return [pattern for each in followers for pattern in each.patterns]

    def _of(self, member: Member, pattern: str) -> Follower | None:
        followers = self._followers.get(member, {}).values()
        return next((each for each in followers if pattern in each.patterns), None)

    async def follow(
        self, member: Member, patterns: Sequence[str], wants: Wants, past: Past
    ) -> Followed:
        """Follow patterns with their past; what it has is on its way when this returns."""
        found = Followed([], [], {})
        history = self._history()
        streams: dict[str, list[str]] = {}
        asking = (self._stream_of(history, member, pattern, past) for pattern in patterns)
        for pattern, stream in zip(patterns, await asyncio.gather(*asking), strict=True):
            if isinstance(stream, str):
                streams.setdefault(stream, []).append(pattern)
            else:
                self._refuse(found, pattern, past, stream)
        for stream, those in streams.items():
            assert history is not None
            try:
                found.begun.extend(await self._begin(history, member, stream, those, wants, past))
            except (NoHistoryError, HistoryError) as error:
                for pattern in those:
                    self._refuse(found, pattern, past, error)
        return found

    async def _stream_of(
        self, history: History | None, member: Member, pattern: str, past: Past
    ) -> str | NoHistoryError | HistoryError:
        """Return the stream of a pattern, or why it has none for this member."""
        if history is None or member.callback is not None:
            return NoHistoryError("off", "this gateway reads no streams")
        if not member.may_read(pattern):
            return NoHistoryError("off", "it may not be read")
        try:
            stream: str = (await history.stream_of(pattern, past.stream)).name
        except (NoHistoryError, HistoryError) as error:
            return error
        for follower in self._followers.get(member, {}).values():
            if follower.stage.tail.stream != stream:
                for other in follower.patterns:
                    if overlap(other, pattern):
                        text = f"this connection follows {shorten(other)!r} of another stream"
                        return NoHistoryError("several_streams", text)
        return stream

    async def _begin(
        self,
        history: History,
        member: Member,
        stream: str,
        patterns: list[str],
        wants: Wants,
        past: Past,
    ) -> list[Begun]:
        rights = await history.rights()
        reading = await history.open(patterns, past.wish, past.stream)
        owed = await self._owed(member, patterns, past, reading)
        stage = self._stages.get(reading.keeper)
        if stage is None:
            stage = Stage(reading.keeper.tail, rights, self._hub.flusher, self._hub.counters)
            self._stages[reading.keeper] = stage
        followers = self._followers.setdefault(member, {})
        follower = followers.get(stream)
        if follower is None:
            follower = followers[stream] = Follower(member, stage, self._gone)
            stage.followers[follower] = None
        follower.begin(reading, {each: Follow(each, wants) for each in patterns}, owed)
        self._changed(member)
        if self._reminding is None:
            self._reminding = asyncio.create_task(self._remind())
        return [Begun(each, _described(reading, each, past)) for each in patterns]

    async def _owed(
        self, member: Member, patterns: list[str], past: Past, reading: Reading
    ) -> Owed | None:
        """Return what a member has of a reading by plain patterns, if any of them overlap."""
        beside = plain_beside(member, patterns)
        if not beside:
            return None
        try:
            owed = await find_owed(member, patterns, beside, reading, self._hub)
        except BaseException:
            reading.end()
            raise
        if isinstance(past.wish, New):
            reading.start = replace(reading.start, after=dict.fromkeys(patterns, owed.after))
        return owed

    def _refuse(
        self, found: Followed, pattern: str, past: Past, error: NoHistoryError | HistoryError
    ) -> None:
        """Note why a pattern has no history; `auto` means that it need not have one."""
        if isinstance(past.wish, Auto) and (
            not isinstance(error, UnansweredError) or self._hub.is_connected
        ):
            found.plain.append(pattern)
        else:
            found.refused[pattern] = _refusal(pattern, error)

    def change(self, member: Member, pattern: str, wants: Wants) -> None:
        """Have a pattern that is followed with its past in another way from now on."""
        follower = self._of(member, pattern)
        if follower is not None:
            follower.change(pattern, Follow(pattern, wants))

    async def leave(self, member: Member, patterns: Iterable[str]) -> list[str]:
        """Stop delivering those of `patterns` that are followed with their past; return them.

        What plain patterns match, too, comes by them from then on.
        """
        messages: list[Message] = []
        found: list[str] = []
        for follower in tuple(self._followers.get(member, {}).values()):
            its = [each for each in patterns if each in follower.patterns]
            beside = plain_beside(member, its)
            if beside:
                await follower.until_live(its)
                its = [each for each in its if each in follower.patterns]
                if its:
                    messages += await hand_back(member, its, beside, follower, self._hub)
                found += its
        found += self.unfollow(member, patterns)
        self._changed(member)
        self._hub.catch_up(member, messages)
        return found

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
        may = [each for each in self.patterns(member) if member.policy.may_follow(each)]
        may = [each for each in may if member.may_read(each)]
        lost = self.unfollow(member, [each for each in self.patterns(member) if each not in may])
        for follower in self._followers.get(member, {}).values():
            follower.look_again()
        return lost

    def _gone(self, follower: Follower) -> None:
        self._forget(follower)
        self._changed(follower.member)

    def _forget(self, follower: Follower) -> None:
        """Let go of a follower that has ended, and of what nobody needs any more."""
        stage, member = follower.stage, follower.member
        stage.followers.pop(follower, None)
        followers = self._followers.get(member, {})
        if followers.get(stage.tail.stream) is follower:
            del followers[stage.tail.stream]
            if not followers:
                del self._followers[member]
        if not stage.followers:
            stage.end()
            for keeper, each in tuple(self._stages.items()):
                if each is stage:
                    del self._stages[keeper]

    def _changed(self, member: Member) -> None:
        """Have the plain patterns of a member pass over what comes from streams."""
        patterns = self.patterns(member)
        member.stored = PatternSet(patterns) if patterns else None
        self._hub.look_again(member)

    # What NATS does

    def nats_changed(self, *, up: bool) -> None:
        """Take note that the connection to NATS is lost, or that there is another one."""
        if up and self._made is not None:
            self._made.reconnected()

    def has_gap(self, member: Member) -> bool:
        """Tell whether an outage of NATS means that a member has missed something."""
        return bool(member.follows) or member not in self._followers

    async def _remind(self) -> None:
        """Tell those that get nothing how far they are; ask what NATS lets the gateway read."""
        while self._stages:
            await asyncio.sleep(REMIND_SECONDS)
            history = self._history()
            if history is not None:
                with contextlib.suppress(NoHistoryError, HistoryError):
                    rights = await history.rights()
                    for stage in self._stages.values():
                        stage.rights = rights
            self._hub.flush()
            for stage in tuple(self._stages.values()):
                for follower in tuple(stage.followers):
                    follower.remind()
        self._reminding = None

    async def stop(self) -> None:
        """End everything. Idempotent."""
        if self._reminding is not None:
            self._reminding.cancel()
        for member in tuple(self._followers):
            self.unfollow_all(member)
        if self._made is not None:
            await self._made.close()


def _described(reading: Reading, pattern: str, past: Past) -> dict[str, object]:
    start, tail = reading.start, reading.keeper.tail
    said: dict[str, object] = {
        "stream": tail.stream,
        "epoch": tail.epoch,
        # The latest ones of each subject are older, and have no place that is known before.
        "after": 0 if isinstance(past.wish, LastPerSubject) else start.after[pattern],
        "messages": start.messages,
    }
    if isinstance(past.wish, After):
        said["resumed"] = start.reason is None
    if start.reason is not None:
        said["reason"] = start.reason
    return said


def _refusal(pattern: str, error: NoHistoryError | HistoryError) -> Refusal:
    name = repr(shorten(pattern))
    if isinstance(error, NoHistoryError):
        text = f"{name} has no history here: {error}."
        return Refusal("no_history", text, [pattern], more={"reason": error.reason})
    if isinstance(error, ApiError) and error.number == TOO_MANY_CONSUMERS:
        text = f"{name} cannot be followed with its past: its stream has no room for a consumer."
        return Refusal("limit", text, [pattern])
    if isinstance(error, UnansweredError):
        text = f"JetStream does not answer; {name} is followed as soon as it does."
        return Refusal("nats_down", text, [pattern])
    text = f"{name} has no history here: {error}."
    return Refusal("no_history", text, [pattern], more={"reason": "no_stream"})
