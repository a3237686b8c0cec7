"""What a replay reads, written to one connection as fast as it takes it; then it goes live.

Messages wait here as they were read, which they share with other replays. At most half of what may
be pending for a connection is used, so that responses and live messages find room beside a replay.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from bridge.audiences.audience import framing_for, meta_of
from bridge.audiences.told import told
from bridge.history.errors import HistoryError
from bridge.history.replay import Sink, StreamGoneError
from bridge.wire import responses
from bridge.wire.envelope import Envelope

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy
    from bridge.audiences.beside import Owed
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.history.replay import Replay
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss
    from bridge.wire.framing import Framing

CHUNK_MESSAGES, CHUNK_BYTES = 256, 32768
"""Written at once; then others have their turn."""
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

    def has_otherwise(self, message: Stored, but: Mapping[str, Follow]) -> bool:
        """Tell whether a message came, or will, by another pattern than `but`."""

    def replay_from(self, starts: Mapping[str, int], sink: Sink) -> Replay:
        """Return what reads these patterns, each after its sequence."""

    def begin_at(self, position: int, patterns: Iterable[str]) -> None:
        """Take note that what comes of patterns from now on is behind this sequence."""

    def join(self, handover: Handover, position: int) -> None:
        """Have it live: all that its patterns match up to `position` has been written."""


class Handover:
    """Hands on what a replay reads. `follows`: what it reads, by pattern; some may be left.

    `owed`: what the connection has had otherwise.
    """

    def __init__(
        self,
        recipient: Recipient,
        follows: Mapping[str, Follow],
        *,
        is_replay: bool,
        owed: Owed | None = None,
    ) -> None:
        self.follows = dict(follows)
        self._recipient = recipient
        self._member, self._stage = recipient.member, recipient.stage
        self.is_replay = is_replay
        """Whether its messages are marked: they are older than others that have come."""
        self._owed = owed
        self._queue: deque[Stored | bytes] = deque()
        """Messages, and notices between them."""
        self._chunk: tuple[list[bytes], bytes, int] | None = None
        """What is about to be written: pieces, the same joined, and how many of the queue it is."""
        self._ways: dict[str, tuple[Envelope, Framing, tuple[str, ...]] | None] = {}
        """How subjects are told, None of those that are not; under one policy."""
        self._policy: SubjectPolicy | None = None
        self._position = 0
        self._has_joined = False
        self.is_behind = False
        """Whether the connection was told that it is."""

    async def run(self, replay: Replay) -> None:
        """Return once the connection is live. Raises StreamGoneError."""
        late = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._tell_late)
        wait = MIN_RETRY_SECONDS
        try:
            while True:
                try:
                    await replay.run()
                except StreamGoneError:
                    raise
                except HistoryError:
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, MAX_RETRY_SECONDS)
                    continue
                if self._has_joined:
                    return
                await asyncio.sleep(MIN_WAIT_SECONDS)
                await self.room()
                starts = dict.fromkeys(self.follows, self._position)
                replay = self._recipient.replay_from(starts, self)
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
        self._queue.extend(messages)

    def _filter(self, count: int) -> None:
        """Count messages that are not written."""
        self._stage.counters.expected += count
        self._stage.counters.filtered += count

    def joined(self, messages: list[Stored], position: int) -> None:
        """Take the last of them; have the connection live if there is room for all."""
        self.replayed(messages)
        self._position = position
        while len(self._queue) <= MAX_JOINED and self._write_some():
            pass
        if not self._queue and (self._owed is None or self._owed.is_paid):
            self._has_joined = True
            self._recipient.join(self, position)

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Take note that the messages between will not come."""
        tail = self._stage.tail
        patterns = list(self.follows)
        self._queue.append(
            responses.missed(tail.stream, tail.epoch, after, until, reason, patterns)
        )
        self._recipient.begin_at(until, self.follows)

    # What is written

    def _write_some(self) -> bool:
        """Write the next chunk, if there is one and room for it; tell whether."""
        while self._queue and isinstance(self._queue[0], bytes) and self._chunk is None:
            self._member.respond(self._queue.popleft())  # type: ignore[arg-type]
        if not self._queue:
            return False
        if self._chunk is None:
            self._chunk = self._next_chunk()
        pieces, joined, count = self._chunk
        if pieces:
            if not (self._member.is_half_free and self._member.offer(pieces, joined)):
                return False
            self._stage.counters.expected += len(pieces)
        for _ in range(count):
            self._queue.popleft()
        self._chunk = None
        return True

    def _next_chunk(self) -> tuple[list[bytes], bytes, int]:
        pieces: list[bytes] = []
        size = count = 0
        for message in self._queue:
            if isinstance(message, bytes) or size >= CHUNK_BYTES or count >= CHUNK_MESSAGES:
                break
            count += 1
            way = self._way(message.subject)
            if way is None or self._recipient.has_otherwise(message, self.follows):
                self._filter(1)
                continue
            envelope, framing, meta = way
            payload = told(message, meta, is_replay=self.is_replay)
            pieces += framing.encode(envelope, [payload])
            size += len(pieces[-1])
        return pieces, self._member.framing.join(pieces) if pieces else b"", count

    def _way(self, subject: str) -> tuple[Envelope, Framing, tuple[str, ...]] | None:
        """Return how messages on a subject are told, if they may be delivered."""
        if self._policy is not self._member.policy:
            self._policy = self._member.policy
            self._ways.clear()
        if subject not in self._ways:
            self._ways[subject] = self._find_way(subject)
        return self._ways[subject]

    def _find_way(self, subject: str) -> tuple[Envelope, Framing, tuple[str, ...]] | None:
        if not self._stage.rights.may_receive(subject):
            return None
        if not self._member.policy.may_receive(subject):
            return None
        meta = meta_of(self.follows.values(), subject)
        if meta is None:
            return None
        return Envelope(subject), framing_for(self._member.framing, meta), meta

    def change(self, pattern: str, follow: Follow) -> None:
        """Have a pattern in another way from now on, if it is among these."""
        if pattern in self.follows:
            self.follows[pattern] = follow
            self._ways.clear()

    def leave(self, pattern: str) -> None:
        """Read a pattern no more; what waits of it is not written. Idempotent."""
        if self.follows.pop(pattern, None) is not None:
            self._ways.clear()
            self._chunk = None
