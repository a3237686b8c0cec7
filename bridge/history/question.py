"""What is asked of JetStream, on its way and until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.history.errors import NotPermittedError, UnansweredError

if TYPE_CHECKING:
    from bridge.nats_link.items import Message


class Question:
    """A request on its way. `take` is called with each answer until it returns true."""

    def __init__(self, subject: str, reply: str, take: Callable[[Message], bool]) -> None:
        self.subject = subject
        self.reply = reply
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.parts = 0
        """How many of its answer have come."""
        self._take = take

    def hand(self, answer: Message) -> None:
        """Take an answer, unless it comes too late."""
        if not self.answered.done():
            self.parts += 1
            if self._take(answer):
                self.answered.set_result(None)

    def fail(self, error: Exception) -> None:
        """End it, if that is still to be done."""
        if not self.answered.done():
            self.answered.set_exception(error)

    # What becomes of it on its way to the server

    def sent(self) -> None:
        """Wait on for the answer."""

    def denied(self, *, inbox: bool = False) -> None:
        """End it: NATS does not let us publish there."""
        self.fail(NotPermittedError(self.subject))

    def lost(self) -> None:
        """End it: the connection was lost."""
        self.fail(UnansweredError("NATS was lost before it answered"))

    def answer(self, payload: bytes, headers: bytes) -> None:
        """Take nothing: answers come to an inbox of our own."""


class Word(Question):
    """Something that is said and not answered; `refused` is called if NATS does not let us."""

    def __init__(self, subject: str, refused: Callable[[], None]) -> None:
        super().__init__(subject, "", lambda message: True)
        self._refused = refused

    def fail(self, error: Exception) -> None:
        """Take note of that; whatever else has failed, it will be missed."""
        if isinstance(error, NotPermittedError):
            self._refused()
