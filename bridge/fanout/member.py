"""A member: what the fan-out needs to know of a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from bridge.access.policy import SubjectPolicy
from bridge.wire.envelope import Message


class Member(Protocol):
    """A connection that follows patterns. Nothing here waits or raises."""

    policy: SubjectPolicy
    """What it may follow; the hub alone changes it."""
    patterns: tuple[str, ...]
    """What it follows, oldest first; the hub alone changes it."""

    @property
    def id(self) -> str: ...

    @property
    def batch(self) -> bool:
        """Whether several lines may share a frame."""

    @property
    def callback(self) -> Callable[[Message], None] | None:
        """The program's own code for each message, if it has any."""

    @property
    def deliver(self) -> Callable[[list[bytes], bytes], None]:
        """What takes finished frames, or lines with `batch`, and what they look like joined."""

    def deliver_message(self, message: Message) -> None:
        """Take one message."""

    def respond(self, line: bytes) -> None:
        """Take a line that is not a message; it is never dropped."""

    def miss(self, count: int) -> None:
        """Count messages that it does not get, and that it is told of."""
