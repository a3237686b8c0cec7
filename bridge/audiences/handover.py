"""What a replay reads, written to one connection as fast as it takes it; then it goes live.

Messages wait here as they were read, which they share with other replays. At most half of what may
be pending for a connection is used, so that responses and live messages find room beside a replay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from bridge.audiences.backlog import Backlog, Writing
from bridge.history.errors import HistoryError, NotPermittedError
from bridge.history.replay import StreamGoneError
from bridge.wire import responses

if TYPE_CHECKING:
    from bridge.audiences.beside import Owed
    from bridge.fanout.follow import Follow
    from bridge.history.replay import Replay, Sink
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss

MAX_JOINED = 1024
"""Messages written in the turn in which it goes live; where they are more, some before that."""
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.005, 0.05
"""Until it is looked again whether there is room. asyncio does not say when there is below TLS."""
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.1, 5.0
"""Until a stream that could not be read is read again."""
PATIENCE_SECONDS = 1.0
"""After which a connection is told that it is behind."""


class Recipient(Writing, Protocol):
    """The connection that a handover is for, as a follower of the stream."""

    def replay_from(self, starts: Mapping[str, int], sink: Sink) -> Replay:
        """Return what reads any of its patterns, each after its sequence."""

    def join(self, handover: Handover, position: int) -> None:
        """Have it live: all that its patterns match up to `position` has been written."""


class Handover:
    """Hands on what a replay reads. `follows`: what it reads, by pattern; some may be left.

    `moves`: whether nothing older is due to the connection, so that its cursor moves on by it.
    `owed`: what it has had otherwise.
    """

    def __init__(
        self,
        recipient: Recipient,
        follows: Mapping[str, Follow],
        *,
        is_replay: bool,
        moves: bool = True,
        owed: Owed | None = None,
    ) -> None:
        self._recipient = recipient
        self._member, self._stage = recipient.member, recipient.stage
        self.replay: Replay | None = None
        """What reads just now, or will next."""
        self.is_replay = is_replay
        """Whether its messages are marked: they are older than others that have come."""
        self.since: dict[str, int] = {}
        """After which all of a pattern came; known when it is live."""
        self.position = 0
        """Up to which it has been written, when it is live."""
        self.may_begin = asyncio.Event()
        """Set once it has been told that it will."""
        self._owed = owed
        self.joined_before: list[tuple[int, tuple[str, ...]]] = []
        """Replays that ended in the stretch it reads: up to where, and their patterns."""
        self.backlog = Backlog(recipient, follows, is_replay=is_replay, moves=moves)
        self._has_joined = False
        self.is_behind = False
        """Whether the connection was told that it is."""

    @property
    def follows(self) -> dict[str, Follow]:
        """What is handed on, by pattern."""
        return self.backlog.follows

    async def run(self) -> None:
        """Return once the connection is live. Raises StreamGoneError, NotPermittedError."""
        late = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._tell_late)
        wait = MIN_RETRY_SECONDS
        self.backlog.epoch = self._stage.tail.epoch
        try:
            while self.replay is not None:
                try:
                    await self.replay.run()
                except (StreamGoneError, NotPermittedError):
                    raise
                except HistoryError:
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, MAX_RETRY_SECONDS)
                    continue
                if self._has_joined:
                    return
                starts = dict.fromkeys(self.follows, self.position)
                self.replay = self._recipient.replay_from(starts, self)
                await asyncio.sleep(MIN_WAIT_SECONDS)
                await self.room()
        finally:
            late.cancel()

    def _tell_late(self) -> None:
        """Tell that messages come late. A replay is expected to take its time."""
        if not self.is_replay:
            self.is_behind = True
            self._member.respond(responses.behind(self._stage.tail.stream, list(self.follows)))

    # What the replay reads

    async def room(self) -> None:
        """Write what waits; return once half of what may be pending is free."""
        wait = MIN_WAIT_SECONDS
        while True:
            if self.backlog.write_some():
                wait = MIN_WAIT_SECONDS
                await asyncio.sleep(0)
            elif not self.backlog and self._member.is_half_free:
                return
            else:
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_WAIT_SECONDS)

    def replayed(self, messages: list[Stored]) -> None:
        """Take stored messages, in order."""
        if self._owed is not None:
            count = len(messages)
            messages = [each for each in messages if not self._owed.has(each)]
            self.backlog.filter(count - len(messages))
        if not self.joined_before:
            self.backlog.add(messages)
            return
        for message in messages:
            while self.joined_before and self.joined_before[0][0] < message.sequence:
                self._add_live(*self.joined_before.pop(0))
            self.backlog.add([message])

    def _add_live(self, position: int, patterns: Iterable[str]) -> None:
        tail, its = self._stage.tail, [each for each in patterns if each in self.follows]
        line = responses.live(tail.stream, tail.epoch, position, its)
        self.backlog.add_notice(line, tail.epoch, position)

    def joined(self, messages: list[Stored], position: int) -> None:
        """Take the last of them; have the connection live if there is room for all."""
        if not self.since and self.replay is not None:
            self.since = self.replay.starts()
        self.replayed(messages)
        self.position = position
        while len(self.backlog) <= MAX_JOINED and self.backlog.write_some():
            pass
        if not self.backlog and (self._owed is None or self._owed.is_paid):
            self._has_joined = True
            self._recipient.join(self, position)

    def hear(self, after: int, until: int, reason: Loss) -> None:
        """Take note of what the stream has lost while nothing is read."""
        is_reading = self.replay in self._stage.tail.listeners
        if not (self.replay is None or is_reading or self._has_joined):
            self.replay.missed(after, until, reason)

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Take note that the messages between will not come."""
        tail, patterns = self._stage.tail, list(self.follows)
        line = responses.missed(tail.stream, tail.epoch, after, until, reason, patterns)
        self.backlog.add_notice(line, tail.epoch, until)
        self.since = {pattern: until for pattern in self.since}
        self._recipient.had.begin_at(until, reason, patterns)
        self._stage.counters.history_missed[reason] += 1
