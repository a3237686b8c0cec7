"""Connections that follow the same patterns: one stream of frames, made once, written to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wire import frames
from bridge.wire.subjects import matches

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.access.policy import SubjectPolicy
    from bridge.connections.callback import Callback
    from bridge.connections.connection import Connection
    from bridge.fanout.flusher import Flusher
    from bridge.telemetry.metrics import Counters
    from bridge.wire.envelope import Message


ENOUGH = 32768
"""Bytes that are worth a write of their own, for each member; up to `MOST_AT_ONCE`."""
MOST_AT_ONCE = 131072

Key = tuple[object, ...]
"""What the members of an audience have in common."""


class Audience:
    """All connections that follow exactly `patterns`, in this order, under the same policy.

    Messages are appended to `pieces` (frames, or lines with `batch`) and written to every member
    when the flusher says so, or when they are many. With a `callback` there is one member, and the
    program's own code gets each message instead.
    """

    def __init__(
        self,
        patterns: tuple[str, ...],
        policy: SubjectPolicy,
        counters: Counters,
        flusher: Flusher,
        *,
        batch: bool = False,
        callback: Callback | None = None,
    ) -> None:
        self.patterns = patterns
        self.policy = policy
        self.batch = batch
        self.callback: Callable[[Message], None] | None = callback
        self.since = counters.watched
        """The number of the latest message before it was there: see `Feed.last`."""
        self.members: dict[Connection, None] = {}
        self.pieces: list[bytes] = []
        self._pending_bytes = 0
        self._counters = counters
        self._flusher = flusher

    @classmethod
    def for_one(
        cls, connection: Connection, patterns: tuple[str, ...], flusher: Flusher
    ) -> Audience:
        """Return an audience, without members yet, that `connection` could be in."""
        return cls(
            patterns,
            connection.policy,
            connection.counters,
            flusher,
            batch=connection.batch,
            callback=connection.callback,
        )

    @property
    def key(self) -> Key:
        """What makes it the same audience as another."""
        return self.patterns, self.policy, self.batch, self.callback

    def gets(self, pattern: str, subject: str) -> bool:
        """Tell whether a message on `subject` may come to it, and comes by `pattern`.

        Where several of its patterns match, NATS sends a copy for each; the first pattern counts.
        (A publisher may use `a.>` as a plain name, and to the server `a.*` matches that.)
        """
        if not self.policy.may_receive(subject):
            return False
        matching = (each for each in self.patterns if each == pattern or matches(each, subject))
        return next(matching) == pattern

    def append(self, pieces: list[bytes]) -> None:
        """Take messages, to be written soon; at once where they are many."""
        if not self.pieces:
            self._flusher.add(self)
        self.pieces += pieces
        self._pending_bytes += sum(map(len, pieces))
        if self._pending_bytes >= min(ENOUGH * len(self.members), MOST_AT_ONCE):
            self.flush()

    def flush(self) -> None:
        """Write what has been appended. Called before a member joins or leaves, too."""
        pieces, self.pieces = self.pieces, []
        self._pending_bytes = 0
        if not pieces:
            return
        self._counters.due += len(pieces) * len(self.members)
        data = frames.batch_frames(pieces) if self.batch else b"".join(pieces)
        for member in self.members:
            member.write(pieces, data)
