"""A member: what the fan-out needs to know of a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.access.policy import SubjectPolicy
from bridge.fanout.follow import Follow
from bridge.outlet import Outlet
from bridge.wire.codes import CloseCode
from bridge.wire.envelope import Message
from bridge.wire.framing import Framing
from bridge.wire.patterns import PatternSet


class Member(Protocol):
    """A connection that follows patterns. Nothing here waits or raises."""

    policy: SubjectPolicy
    """What it may follow; the hub alone changes it."""
    follows: dict[str, Follow]
    """What it follows by pattern, oldest first; the hub alone changes it."""

    streamed: tuple[str, ...]
    """What it follows of streams; the stream hub alone changes it."""
    stored: PatternSet | None
    """What comes to it from streams, and so by no pattern that it follows otherwise, if any."""

    @property
    def id(self) -> str: ...

    @property
    def framing(self) -> Framing:
        """How it is written to."""

    @property
    def places(self) -> dict[str, bytes]:
        """How far it has streams, as a cursor of each; kept where pieces have ids."""

    def may_read(self, pattern: str) -> bool:
        """Tell whether it may have what was before of a pattern that it may follow."""

    @property
    def callback(self) -> Callable[[Message], None] | None:
        """The program's own code for each message, if it has any."""

    @property
    def deliver(self) -> Callable[[list[bytes], bytes], None]:
        """What takes pieces, and what its framing joins them to, or what is left of that."""

    @property
    def outlet(self) -> Outlet:
        """Groups write here directly while it is open.

        Whatever the system does not take, possibly everything, goes to `deliver` at once.
        """

    @property
    def is_half_free(self) -> bool:
        """Whether no more than half of what may be pending for it is."""

    def offer(self, pieces: list[bytes], joined: bytes) -> bool:
        """Do what `deliver` does if there is room for all of it; else do nothing, return False."""

    def deliver_message(self, message: Message) -> None:
        """Take one message."""

    def respond(self, line: bytes, *, cursor: bytes = b"") -> None:
        """Take a line that is not a message; it is never dropped. `cursor`: for its id."""

    def miss(self, count: int) -> None:
        """Count messages that it does not get, and that it is told of."""

    def hang_up(self, reason: str, code: CloseCode) -> None:
        """Close it soon."""
