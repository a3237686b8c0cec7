"""One connection and one stream: what it follows, how far it has it, and how it gets the rest.

It is *live* while it is in an audience. It is *behind* from when it had no room, or the tail passed
something over, until a replay has caught up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from bridge.audiences.audience import key_for
from bridge.audiences.bookmark import Bookmark
from bridge.audiences.had import Had
from bridge.audiences.handover import Handover
from bridge.audiences.readings import Readings
from bridge.history.errors import NotPermittedError
from bridge.history.replay import StreamGoneError
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire import responses
from bridge.wire.codes import CloseCode

if TYPE_CHECKING:
    from bridge.audiences.audience import Audience
    from bridge.audiences.beside import Owed
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.history.reading import Reading
    from bridge.history.replay import Replay, Sink
    from bridge.history.tail import Loss


class Follower:
    """What one connection follows of one stream. `lost` is called when it loses some of it."""

    def __init__(self, member: Member, stage: Stage, lost: Callable[[Follower], None]) -> None:
        self.member, self.stage, self._lost = member, stage, lost
        self.bookmark = Bookmark(member, stage.tail.stream)
        self.readings = Readings()
        self.had = Had()
        """What is live, or would be if it were not behind; the other patterns are on their way."""
        self._audience: Audience | None = None
        self.is_behind = self._is_catching_up = False
        self._joined: list[tuple[int, tuple[str, ...]]] = []
        """Replays that ended while it was behind: up to where, and their patterns."""
        self._told = 0
        """The sequence that the connection knows of."""
        self._turn = asyncio.Lock()
        """Held by the replay that runs: the messages of two could not be told apart."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """What it follows, oldest first."""
        return self.readings.patterns

    # What it follows

    def begin(
        self, reading: Reading, follows: Mapping[str, Follow], owed: Owed | None = None
    ) -> Callable[[], object]:
        """Follow further patterns: what a reading brings of them, and then what is live.

        What is returned has to be called, once this has been told.
        """
        is_first = not self.patterns
        if is_first and not reading.has_latest:
            self.bookmark.put(self.stage.tail.epoch, min(reading.start.after.values()))
        self.readings.add(reading, follows)
        handover = Handover(self, follows, is_replay=True, moves=is_first, owed=owed)
        handover.replay = reading.replay(handover)
        self.readings.start(handover, self._run(handover))
        return handover.may_begin.set

    def change(self, pattern: str, follow: Follow) -> None:
        """Have a pattern in another way from now on."""
        for handover in self.readings:
            handover.backlog.change(pattern, follow)
        if pattern in self.had.follows:
            self.had.follows[pattern] = follow
            self.look_again()

    def leave(self, patterns: Iterable[str]) -> None:
        """Follow patterns no more."""
        self.settle()
        for pattern in patterns:
            self.readings.leave(pattern)
            self.had.remove(pattern)
        if not self.had.follows:
            self.is_behind = False
        self.readings.stop_useless(self._is_of_use)
        self.look_again()

    def _is_of_use(self, handover: Handover) -> bool:
        return bool(handover.follows) or (self.is_behind and not handover.is_replay)

    def look_again(self) -> None:
        """Go to the audience that is right now: it follows, or may have, something else."""
        if self._audience is not None:
            self._go_live()

    def end(self) -> None:
        """Let go of everything. Idempotent."""
        self._part()
        self.readings.end()

    # Live

    def is_live(self, patterns: Iterable[str]) -> bool:
        """Tell whether these patterns are live."""
        return self._audience is not None and self.had.follows.keys() >= set(patterns)

    def settle(self) -> None:
        """Have written what came up to now, or fall behind."""
        self.stage.flusher.flush()
        if self._audience is not None:
            self.had.reach(self.stage.tail.position)

    def _go_live(self) -> None:
        self.settle()
        if self.is_behind:
            return
        key = key_for(self.member, self.had.follows.values())
        if self._audience is not None and self._audience.told_as == key:
            return
        self._part()
        if key is not None:
            self._audience = self.stage.audience(key)
            self._audience.take_in(self)
            self.settle()

    def _part(self) -> None:
        audience, self._audience = self._audience, None
        if audience is not None:
            audience.let_go(self.member)
            self.stage.drop_if_empty(audience)

    def fall_behind(self, until: int) -> None:
        """Take note that there was no room, or that the tail passes over what is behind `until`."""
        if self._audience is None:
            return
        self.is_behind = True
        self.stage.counters.history_fell_behind += 1
        self._part()
        self.had.reach(until)
        handover = Handover(self, self.had.follows, is_replay=False)
        self.readings.start(handover, self._run(handover))

    def remind(self) -> None:
        """Say how far it is, if it could not know: its cursor would get too old."""
        audience, position = self._audience, self.stage.tail.position
        if audience is not None and max(self._told, audience.written) < position:
            self._tell_live(self.had.follows)

    def _tell_live(self, patterns: Iterable[str]) -> None:
        tail = self.stage.tail
        self._told = tail.position
        line = responses.live(tail.stream, tail.epoch, tail.position, list(patterns))
        self.bookmark.respond(line, tail.epoch, tail.position)

    # What is read

    async def _run(self, handover: Handover) -> None:
        try:
            async with self._turn:
                await (self._replay if handover.is_replay else self._catch_up)(handover)
        except StreamGoneError:
            pass  # the tail tells everybody
        except NotPermittedError as error:
            self._refuse(handover, error)
        except Exception as failure:
            tell(events.CONNECTION_FAILED, failure, connection=self.member.id)
            self.member.hang_up("internal error", CloseCode.BUG)

    async def _replay(self, handover: Handover) -> None:
        await handover.may_begin.wait()
        await handover.run()
        self._joined.append((handover.position, tuple(handover.follows)))
        self._tell_joined()

    async def _catch_up(self, handover: Handover) -> None:
        self._is_catching_up = True
        try:
            handover.backlog.follow(self.had.follows)
            handover.replay = self.replay_from(self.had.ends(), handover)
            handover.joined_before, self._joined = self._joined, []
            await handover.run()
        finally:
            self._is_catching_up = False
        self._joined += handover.joined_before
        if handover.is_behind:
            self._joined.append((handover.position, tuple(handover.follows)))
        self._tell_joined()

    def _tell_joined(self) -> None:
        """Tell what has become live, unless it fell behind again at once."""
        if self._joined and not self.is_behind:
            patterns = dict.fromkeys(each for _, those in self._joined for each in those)
            self._tell_live([each for each in patterns if each in self.had.follows])
            self._joined.clear()

    def replay_from(self, starts: Mapping[str, int], sink: Sink) -> Replay:
        """Return what reads any of its patterns, each after its sequence."""
        return self.readings.any.replay_from(starts, sink)

    def join(self, handover: Handover, position: int) -> None:
        """Have it live: all that its patterns match up to `position` has been written."""
        if handover.is_replay:
            for pattern, follow in handover.follows.items():
                self.had.add(pattern, follow, handover.since[pattern], position)
        else:
            self.is_behind = False
            self.had.reach(position)
        self._go_live()

    def _refuse(self, handover: Handover, error: NotPermittedError) -> None:
        """End patterns whose past cannot be read any more."""
        patterns = list(handover.follows)
        self.leave(patterns)
        for pattern in patterns:
            self.member.respond(responses.not_permitted(pattern, str(error)))
        self._lost(self)

    # What the stream loses

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Tell that messages will not come; where a replay runs, that does."""
        for handover in self.readings:
            handover.hear(after, until, reason)
        if not self.had.follows or self._is_catching_up:
            return
        if not self.is_behind:
            self.had.reach(after)
        since = self.had.lose(until, reason)
        if since is not None:
            tail, patterns = self.stage.tail, list(self.had.follows)
            line = responses.missed(tail.stream, tail.epoch, since, until, reason, patterns)
            self.bookmark.respond(line, tail.epoch, until)
            self.stage.counters.history_missed[reason] += 1

    def gone(self) -> None:
        """Take note that the stream was deleted."""
        patterns = self.patterns
        self.end()
        for pattern in patterns:
            self.member.respond(responses.stream_gone(pattern, self.stage.tail.stream))
        self._lost(self)
