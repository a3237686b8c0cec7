"""One connection and one stream: what it follows, how far it has it, and how it gets the rest.

It is *live* while it is in an audience. It is *behind* from when it had no room, or the tail passed
something over, until a replay has caught up.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bridge.audiences.audience import AudienceKey
from bridge.audiences.handover import Handover
from bridge.history.replay import StreamGoneError
from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire import responses
from bridge.wire.codes import CloseCode
from bridge.wire.subjects import matches

if TYPE_CHECKING:
    from bridge.audiences.audience import Audience
    from bridge.audiences.beside import Owed
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.history.history import Reading
    from bridge.history.replay import Replay, Sink
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss


PATIENCE_SECONDS, LOOK_SECONDS = 5.0, 0.01
"""Until patterns are left that are not live; how often it is looked whether they are."""


class Follower:
    """What one connection follows of one stream. `ended` is called when the stream is deleted."""

    def __init__(self, member: Member, stage: Stage, ended: Callable[[Follower], None]) -> None:
        self.member = member
        self.stage = stage
        self._ended = ended
        self._readings: dict[str, Reading] = {}
        """By pattern, what keeps the tail on it."""
        self._had: dict[str, Follow] = {}
        """What is live, or would be if it were not behind; the other patterns are on their way."""
        self._since: dict[str, int] = {}
        """By pattern: the sequence after which all of it has come by it, or will."""
        self._until: dict[str, int] = {}
        """By pattern: the sequence up to which all of it has come, at least."""
        self._audience: Audience | None = None
        self._is_behind = self._is_catching_up = False
        self._told = 0
        """The sequence that the connection knows of."""
        self._turn = asyncio.Lock()
        """Held by the replay that runs: the messages of two could not be told apart."""
        self._handovers: dict[Handover, asyncio.Task[None]] = {}

    @property
    def patterns(self) -> tuple[str, ...]:
        """What it follows, oldest first."""
        return tuple(self._readings)

    @property
    def reading(self) -> Reading:
        """One of those that keep the tail on its patterns; it has to follow some."""
        return next(iter(self._readings.values()))

    # What it follows

    def begin(
        self, reading: Reading, follows: Mapping[str, Follow], owed: Owed | None = None
    ) -> None:
        """Follow further patterns: what a reading brings of them, and then what is live."""
        for pattern in follows:
            self._readings[pattern] = reading
            self._since[pattern] = reading.start.after[pattern]
        handover = Handover(self, follows, is_replay=True, owed=owed)
        self._start(handover, self._replay(handover, reading.replay(handover)))

    def change(self, pattern: str, follow: Follow) -> None:
        """Have a pattern in another way from now on."""
        for handover in self._handovers:
            handover.change(pattern, follow)
        if pattern in self._had:
            self._had[pattern] = follow
            self.look_again()

    def leave(self, patterns: Iterable[str]) -> None:
        """Follow patterns no more."""
        self.stage.flusher.flush()
        for pattern in patterns:
            self._readings.pop(pattern).leave(pattern)
            self._had.pop(pattern, None)
            for handover, task in tuple(self._handovers.items()):
                handover.leave(pattern)
                if not handover.follows:
                    task.cancel()
        self.look_again()

    async def until_live(self, patterns: Sequence[str]) -> None:
        """Return once these are live; or if that takes long, after telling what will not come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self._audience is None or not self._had.keys() >= set(patterns):
                    await asyncio.sleep(LOOK_SECONDS)
                return
        tail = self.stage.tail
        since = min((self._until.get(each, self._since[each]) for each in patterns), default=0)
        self.member.respond(
            responses.missed(tail.stream, tail.epoch, since, tail.position, "left", patterns)
        )

    def look_again(self) -> None:
        """Go to the audience that is right now: it follows, or may have, something else."""
        if self._audience is not None:
            self._go_live()

    def end(self) -> None:
        """Let go of everything. Idempotent."""
        self._part()
        self._had.clear()
        for task in self._handovers.values():
            task.cancel()
        for pattern, reading in self._readings.items():
            reading.leave(pattern)
        self._readings.clear()

    # Live

    def _go_live(self) -> None:
        self.stage.flusher.flush()  # it may fall behind now
        if self._is_behind:
            return
        key = self._key()
        if self._audience is not None and self._audience.told_as == key:
            return
        self._part()
        if key is not None:
            self._audience = self.stage.audience(key)
            self._audience.take_in(self)
            self._until = dict.fromkeys(self._had, self.stage.tail.position)

    def _part(self) -> None:
        audience, self._audience = self._audience, None
        if audience is not None:
            audience.let_go(self.member)
            self.stage.drop_if_empty(audience)

    def _key(self) -> AudienceKey | None:
        if not self._had:
            return None
        policy = self.member.policy
        asks = any(policy.rule(pattern) is not None for pattern in self._had)
        follows = tuple(self._had.values())
        return AudienceKey(follows, self.member.framing, policy if asks else None)

    def fall_behind(self, until: int) -> None:
        """Take note that there was no room, or that the tail passes over what is behind `until`."""
        if self._audience is None:
            return
        self._is_behind = True
        self._part()
        self._until = {each: max(until, at) for each, at in self._until.items()}
        handover = Handover(self, self._had, is_replay=False)
        self._start(handover, self._catch_up(handover))

    def remind(self) -> None:
        """Say how far it is, if it could not know: its cursor would get too old."""
        audience, position = self._audience, self.stage.tail.position
        if audience is not None and max(self._told, audience.written) < position:
            self._tell_live(self._had)

    def _tell_live(self, patterns: Iterable[str]) -> None:
        tail = self.stage.tail
        self._told = tail.position
        self.member.respond(responses.live(tail.stream, tail.epoch, tail.position, list(patterns)))

    # What is read

    def _start(self, handover: Handover, running: Coroutine[Any, Any, None]) -> None:
        async def run() -> None:
            try:
                await running
            except StreamGoneError:
                pass  # the tail tells everybody
            except Exception as failure:
                tell(events.CONNECTION_FAILED, failure, connection=self.member.id)
                self.member.hang_up("internal error", CloseCode.BUG)
            finally:
                running.close()
                self._handovers.pop(handover, None)

        self._handovers[handover] = asyncio.create_task(run())

    async def _replay(self, handover: Handover, replay: Replay) -> None:
        async with self._turn:
            await handover.run(replay)
            self._tell_live(handover.follows)

    async def _catch_up(self, handover: Handover) -> None:
        async with self._turn:
            if not self._had:
                self._is_behind = False
                return
            self._is_catching_up = True
            try:
                handover.follows = dict(self._had)
                starts = {each: self._until[each] for each in self._had}
                await handover.run(self.replay_from(starts, handover))
            finally:
                self._is_catching_up = False
            if handover.is_behind:
                self._tell_live(handover.follows)

    def replay_from(self, starts: Mapping[str, int], sink: Sink) -> Replay:
        """Return what reads these patterns, each after its sequence."""
        return self.reading.replay_from(starts, sink)

    def has_otherwise(self, message: Stored, but: Mapping[str, Follow]) -> bool:
        """Tell whether a message came, or will, by another pattern than `but`."""
        return any(
            pattern not in but
            and message.sequence > self._since[pattern]
            and matches(pattern, message.subject)
            for pattern in self._had
        )

    def join(self, handover: Handover, position: int) -> None:
        """Have it live: all that its patterns match up to `position` has been written."""
        if handover.is_replay:
            for pattern, follow in handover.follows.items():
                self._had[pattern] = follow
                self._until[pattern] = position
        else:
            self._is_behind = False
        self._go_live()

    # What the stream loses

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Tell that messages will not come; where a replay runs, that does."""
        if not self._had or self._is_catching_up:
            return
        tail = self.stage.tail
        patterns = list(self._had)
        self.member.respond(
            responses.missed(tail.stream, tail.epoch, after, until, reason, patterns)
        )
        self.begin_at(until, patterns)

    def begin_at(self, position: int, patterns: Iterable[str]) -> None:
        """Take note that what comes of patterns from now on is behind this sequence."""
        for pattern in patterns:
            self._since[pattern] = self._until[pattern] = position

    def gone(self) -> None:
        """Take note that the stream was deleted."""
        patterns = self.patterns
        self.end()
        for pattern in patterns:
            self.member.respond(responses.stream_gone(pattern, self.stage.tail.stream))
        self._ended(self)
