"""Connections that follow the same patterns: one stream of frames, made once, written to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wire import frames
from bridge.wire.subjects import contains

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.access.policy import SubjectPolicy
    from bridge.fanout.flusher import Flusher
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters
    from bridge.wire.envelope import Message


FULL_WRITE_BYTES = 32768
"""Worth a write of their own, for each member; up to `MAX_WRITE_BYTES`."""
MAX_WRITE_BYTES = 131072

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
        callback: Callable[[Message], None] | None = None,
    ) -> None:
        self.patterns = patterns
        self.policy = policy
        self.batch = batch
        self.callback = callback
        self.since = counters.overlapping
        """The number of the latest message before it was there: see `Feed.last`."""
        self.members: dict[Member, None] = {}
        self.pieces: list[bytes] = []
        self._pending_bytes = 0
        self._counters = counters
        self._flusher = flusher

    @classmethod
    def for_one(
        cls, member: Member, patterns: tuple[str, ...], counters: Counters, flusher: Flusher
    ) -> Audience:
        """Return an audience, without members yet, that `member` could be in."""
        batch, callback = member.batch, member.callback
        return cls(patterns, member.policy, counters, flusher, batch=batch, callback=callback)

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
        matching = (each for each in self.patterns if each == pattern or contains(each, subject))
        return next(matching) == pattern

    def append(self, pieces: list[bytes]) -> None:
        """Take messages, to be written soon; at once where they are many."""
        if not self.pieces:
            self._flusher.add(self)
        self.pieces += pieces
        self._pending_bytes += sum(map(len, pieces))
        if self._pending_bytes >= min(FULL_WRITE_BYTES * len(self.members), MAX_WRITE_BYTES):
            self.flush()

    def flush(self) -> None:
        """Write what has been appended. Called before a member joins or leaves, too."""
        pieces, self.pieces = self.pieces, []
        self._pending_bytes = 0
        if not pieces:
            return
        self._counters.expected += len(pieces) * len(self.members)
        data = frames.batch_frames(pieces) if self.batch else b"".join(pieces)
        for member in self.members:
            member.deliver(pieces, data)
