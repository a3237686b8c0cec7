"""What a replay reads, written to one connection as fast as it takes it; then it goes live.

Messages wait here as they were read, which they share with other replays. At most half of what may
be pending for a connection is used, so that responses and live messages find room beside a replay.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.audiences.ways import Ways
from bridge.history.errors import HistoryError, NotPermittedError
from bridge.history.replay import StreamGoneError
from bridge.wire import responses

if TYPE_CHECKING:
    from bridge.audiences.beside import Owed
    from bridge.audiences.bookmark import Bookmark
    from bridge.audiences.had import Had
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.history.replay import Replay, Sink
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss

CHUNK_MESSAGES, CHUNK_BYTES = 256, 32768
"""Written at once; then others have their turn. Fewer where there is no room for as many."""
MAX_JOINED = 1024
"""Messages written in the turn in which it goes live; where they are more, some before that."""
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.005, 0.05
"""Until it is looked again whether there is room. asyncio does not say when there is below TLS."""
MIN_RETRY_SECONDS, MAX_RETRY_SECONDS = 0.1, 5.0
"""Until a stream that could not be read is read again."""
PATIENCE_SECONDS = 1.0
"""After which a connection is told that it is behind."""


class Recipient(Protocol):
    """The connection that a handover is for, as a follower of the stream."""

    member: Member
    stage: Stage
    bookmark: Bookmark
    had: Had

    def settle(self) -> None:
        """Have written what came up to now, or fall behind."""

    def replay_from(self, starts: Mapping[str, int], sink: Sink) -> Replay:
        """Return what reads any of its patterns, each after its sequence."""

    def join(self, handover: Handover, position: int) -> None:
        """Have it live: all that its patterns match up to `position` has been written."""


class _Notice(NamedTuple):
    """What is told between messages, and how far the stream has come by it."""

    line: bytes
    epoch: str
    until: int


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
        self._bookmark = recipient.bookmark
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
        self._marks = moves and self._member.framing.mark is not None
        self._epoch = ""
        """Of the messages that are next in the queue."""
        self._owed = owed
        self.joined_before: list[tuple[int, tuple[str, ...]]] = []
        """Replays that ended in the stretch it reads: up to where, and their patterns."""
        self._queue: deque[Stored | _Notice] = deque()
        """Messages, and notices between them."""
        self._chunk: tuple[list[bytes], bytes, int] | None = None
        """What is about to be written: pieces, the same joined, and how many of the queue it is."""
        self._chunk_bytes = CHUNK_BYTES
        self._ways = Ways(recipient.member, recipient.stage, dict(follows))
        self._has_joined = False
        self.is_behind = False
        """Whether the connection was told that it is."""

    @property
    def follows(self) -> dict[str, Follow]:
        """What is handed on, by pattern."""
        return self._ways.follows

    async def run(self) -> None:
        """Return once the connection is live. Raises StreamGoneError, NotPermittedError."""
        late = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._tell_late)
        wait = MIN_RETRY_SECONDS
        self._epoch = self._stage.tail.epoch
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
            if self._write_some():
                wait = MIN_WAIT_SECONDS
                await asyncio.sleep(0)
            elif not self._queue and self._member.is_half_free:
                return
            else:
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_WAIT_SECONDS)

    def replayed(self, messages: list[Stored]) -> None:
        """Take stored messages, in order."""
        if self._owed is not None:
            count = len(messages)
            messages = [each for each in messages if not self._owed.has(each)]
            self._filter(count - len(messages))
        if not self.joined_before:
            self._queue.extend(messages)
            return
        for message in messages:
            while self.joined_before and self.joined_before[0][0] < message.sequence:
                self._queue.append(self._live(*self.joined_before.pop(0)))
            self._queue.append(message)

    def _live(self, position: int, patterns: Iterable[str]) -> _Notice:
        tail, its = self._stage.tail, [each for each in patterns if each in self.follows]
        line = responses.live(tail.stream, tail.epoch, position, its)
        return _Notice(line, tail.epoch, position)

    def _filter(self, count: int) -> None:
        """Count messages that are not written."""
        self._stage.counters.expected += count
        self._stage.counters.filtered += count

    def joined(self, messages: list[Stored], position: int) -> None:
        """Take the last of them; have the connection live if there is room for all."""
        if not self.since and self.replay is not None:
            self.since = self.replay.starts()
        self.replayed(messages)
        self.position = position
        while len(self._queue) <= MAX_JOINED and self._write_some():
            pass
        if not self._queue and (self._owed is None or self._owed.is_paid):
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
        self._queue.append(_Notice(line, tail.epoch, until))
        self.since = {pattern: until for pattern in self.since}
        self._recipient.had.begin_at(until, reason, patterns)
        self._stage.counters.history_missed[reason] += 1

    # What is written

    def _write_some(self) -> bool:
        """Write the next chunk, if there is one and room for it; tell whether."""
        while self._queue and isinstance(self._queue[0], _Notice):
            self._tell(self._queue[0])
            self._queue.popleft()
        if not self._queue:
            return False
        if self._ways.have_changed() or self._chunk is None:
            self._chunk = self._next_chunk()
        pieces, joined, count = self._chunk
        if pieces:
            if not self._member.is_half_free:
                return False
            if not self._bookmark.offer(pieces, joined):  # there may never be room for all
                self._chunk_bytes, self._chunk = len(joined) // 2, None
                return False
        for _ in range(count):
            self._queue.popleft()
        self._chunk = None
        self._stage.counters.expected += len(pieces)
        self._stage.counters.history_messages += len(pieces)
        self._filter(count - len(pieces))
        return True

    def _tell(self, notice: _Notice) -> None:
        line, self._epoch, until = notice
        if self._marks:
            self._bookmark.respond(line, self._epoch, until)
        else:
            self._member.respond(line)

    def _next_chunk(self) -> tuple[list[bytes], bytes, int]:
        self._recipient.settle()
        pieces: list[bytes] = []
        size = count = 0
        for message in self._queue:
            if isinstance(message, _Notice) or count >= CHUNK_MESSAGES:
                break
            epoch = self._epoch if self._marks else ""
            piece = self._ways.piece(message, is_replay=self.is_replay, epoch=epoch)
            if piece is not None and not self._recipient.had.has(message):
                size += len(piece)
                if pieces and size > self._chunk_bytes:
                    break
                pieces.append(piece)
            count += 1
        return pieces, self._member.framing.join(pieces) if pieces else b"", count

    def follow(self, follows: Mapping[str, Follow]) -> None:
        """Hand on these patterns instead."""
        self._ways.follows = dict(follows)
        self._ways.forget()

    def change(self, pattern: str, follow: Follow) -> None:
        """Have a pattern in another way from now on, if it is among these."""
        if pattern in self.follows:
            self.follow(self.follows | {pattern: follow})

    def leave(self, pattern: str) -> None:
        """Hand on a pattern no more, nor what waits of it. Idempotent."""
        if pattern in self.follows:
            self.follow({each: how for each, how in self.follows.items() if each != pattern})
