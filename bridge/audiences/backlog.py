"""What waits to be written to one connection: stored messages as they were read, and notices.

Messages are told as they may be when their turn comes: what is followed, and what may be
delivered, can change in the meantime.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.audiences.ways import Ways

if TYPE_CHECKING:
    from bridge.audiences.bookmark import Bookmark
    from bridge.audiences.had import Had
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.member import Member
    from bridge.history.stored import Stored

CHUNK_MESSAGES, CHUNK_BYTES = 256, 32768
"""Written at once; then others have their turn. Fewer where there is no room for as many."""


class Writing(Protocol):
    """The connection that a backlog is for, as a follower of the stream."""

    member: Member
    stage: Stage
    had: Had
    bookmark: Bookmark

    def settle(self) -> None:
        """Have written what came up to now, or fall behind."""


class _Notice(NamedTuple):
    """What is told between messages, and how far the stream has come by it."""

    line: bytes
    epoch: str
    until: int


class Backlog:
    """Messages and notices in order. `follows`: the patterns that they are of; some may be left.

    `is_replay`: whether messages are marked. `moves`: whether the cursor moves on by them.
    """

    def __init__(
        self, recipient: Writing, follows: Mapping[str, Follow], *, is_replay: bool, moves: bool
    ) -> None:
        self._recipient = recipient
        self._member, self._stage = recipient.member, recipient.stage
        self._is_replay = is_replay
        self._marks = moves and self._member.framing.mark is not None
        self.epoch = ""
        """Of the messages that are next."""
        self._queue: deque[Stored | _Notice] = deque()
        self._chunk: tuple[list[bytes], bytes, int] | None = None
        """What is about to be written: pieces, the same joined, and how many of the queue it is."""
        self._chunk_bytes = CHUNK_BYTES
        self._ways = Ways(recipient.member, recipient.stage, dict(follows))

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def follows(self) -> dict[str, Follow]:
        """The patterns that are handed on."""
        return self._ways.follows

    def add(self, messages: Iterable[Stored]) -> None:
        """Take messages, in order."""
        self._queue.extend(messages)

    def add_notice(self, line: bytes, epoch: str, until: int) -> None:
        """Take a notice that belongs behind them, by which the stream has come to `until`."""
        self._queue.append(_Notice(line, epoch, until))

    def filter(self, count: int) -> None:
        """Count messages that are not written."""
        self._stage.counters.expected += count
        self._stage.counters.filtered += count

    def write_some(self) -> bool:
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
            # There may never be room for all of them.
            if not self._recipient.bookmark.offer(pieces, joined):
                self._chunk_bytes, self._chunk = len(joined) // 2, None
                return False
        for _ in range(count):
            self._queue.popleft()
        self._chunk = None
        self._stage.counters.expected += len(pieces)
        self._stage.counters.history_messages += len(pieces)
        self.filter(count - len(pieces))
        return True

    def _tell(self, notice: _Notice) -> None:
        line, self.epoch, until = notice
        if self._marks:
            self._recipient.bookmark.respond(line, self.epoch, until)
        else:
            self._member.respond(line)

    def _next_chunk(self) -> tuple[list[bytes], bytes, int]:
        self._recipient.settle()
        pieces: list[bytes] = []
        size = count = 0
        for message in self._queue:
            if isinstance(message, _Notice) or count >= CHUNK_MESSAGES:
                break
            epoch = self.epoch if self._marks else ""
            piece = self._ways.piece(message, is_replay=self._is_replay, epoch=epoch)
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
