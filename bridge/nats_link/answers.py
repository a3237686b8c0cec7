"""One subscription for the answers to all that was published with a reply subject of ours."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Protocol

from bridge.wire.subjects import INBOXES

if TYPE_CHECKING:
    from bridge.nats_link.asking import Wire


class Outgoing(Protocol):
    """A message that is published for somebody; told what becomes of it. Nothing here raises."""

    subject: str
    reply: str
    """Where it is answered; empty if it is not."""

    def sent(self) -> None:
        """Take note that the server has it."""

    def denied(self, *, inbox: bool = False) -> None:
        """Take note that the NATS user may not publish there; or, `inbox`, not be answered."""

    def lost(self) -> None:
        """Take note that the connection was lost: the server may have it, or not."""

    def answer(self, payload: bytes, headers: bytes) -> None:
        """Take what came to its reply subject; `headers` as they came."""


class Answers:
    """Reply subjects, each for one message: nobody can guess that of another one.

    Nothing is subscribed before there is an answer to wait for.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._prefix = f"{INBOXES}.p.{secrets.token_hex(8)}."
        self._sid = 0
        """Of the subscription; 0 if there is none."""
        self._waiting: dict[str, Outgoing] = {}
        """By reply subject."""

    @property
    def pattern(self) -> str:
        """What is subscribed to."""
        return f"{self._prefix}*"

    @property
    def count(self) -> int:
        """How many subscriptions there are: one, or none yet."""
        return int(self._sid != 0)

    def expect(self, message: Outgoing) -> None:
        """Give a message a reply subject, and hand it what comes there until it is forgotten."""
        if not self._sid:
            self._sid = self._wire.next_sid()
            self._ask()
        message.reply = self._prefix + secrets.token_hex(8)
        self._waiting[message.reply] = message

    def forget(self, message: Outgoing) -> None:
        """Wait no more. Idempotent."""
        self._waiting.pop(message.reply, None)

    def take(self, sid: int, subject: bytes, payload: bytes, headers: bytes | None) -> bool:
        """Hand an answer to whom it is for; return whether it is one, also a late one."""
        if not self._sid or sid != self._sid:
            return False
        message = self._waiting.get(subject.decode())
        if message is not None:
            message.answer(payload, headers or b"")
        return True

    def replay(self) -> None:
        """Queue the SUB on a new connection."""
        if self._sid:
            self._ask()

    def refuse(self, pattern: str) -> bool:
        """Take note that the server denies a subscription; return whether it is this one."""
        if pattern != self.pattern:
            return False
        self._sid = 0  # the next one that waits asks again
        for message in tuple(self._waiting.values()):
            message.denied(inbox=True)
        return True

    def _ask(self) -> None:
        self._wire.queue(b"SUB %b %d\r\n" % (self.pattern.encode(), self._sid))
