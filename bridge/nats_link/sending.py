"""Messages that are published for others: whom an error of the server is about, and answers.

The server says nothing to a PUB that it takes, and an error to one that it does not. So a PING
follows what was sent in one turn of the event loop; once it is answered, the server has all of it
but what it named in an error before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.nats_link.answers import Answers
from bridge.nats_link.server_errors import denied_publish

if TYPE_CHECKING:
    from bridge.nats_link.answers import Outgoing
    from bridge.nats_link.asking import Wire

MAX_UNCONFIRMED_BYTES = 4194304
"""Of messages that the server has not confirmed; who has more to send waits."""

MOST_A_TURN = 50
"""Messages sent in one turn of the event loop: who has many at hand does not hold up the others."""


class _Batch:
    """What was sent before one PING."""

    def __init__(self, answered: asyncio.Future[bool]) -> None:
        self.answered = answered
        self.messages: list[Outgoing] = []
        self.size = 0
        self.longest_subject = 0
        self._by_subject: dict[str, list[Outgoing]] | None = None
        self._denied: set[Outgoing] = set()

    def deny(self, subject: str) -> None:
        """Refuse all that was sent to a subject: the server names no more than that."""
        if self._by_subject is None:
            self._by_subject = {}
            for message in self.messages:
                self._by_subject.setdefault(message.subject, []).append(message)
        for message in self._by_subject.pop(subject, ()):
            self._denied.add(message)
            message.denied()

    def settle(self) -> None:
        """Tell what became of the rest."""
        is_lost = self.answered.cancelled() or self.answered.exception() is not None
        for message in self.messages:
            if message not in self._denied:
                message.lost() if is_lost else message.sent()


class Sending:
    """Publishes over one connection and the next; nothing is kept from one for the next.

    `answered` returns what is done once the server has answered to the PING of this turn.
    """

    def __init__(self, wire: Wire, answered: Callable[[], asyncio.Future[bool]]) -> None:
        self.answers = Answers(wire)
        self._wire = wire
        self._answered = answered
        self._batches: deque[_Batch] = deque()
        self._unconfirmed = 0
        self._of_this_turn = 0
        """Places in this turn of the event loop that are taken."""
        self._in_line: deque[asyncio.Future[None]] = deque()
        """Those who wait for a place, longest first."""
        self._too_long = 0
        """Bytes of a subject that the server hung up on; 0 if there was none."""

    def send(self, message: Outgoing, payload: bytes, headers: bytes = b"") -> None:
        """Queue a message; its `sent`, `denied` or `lost` is called later. Never waits.

        To be called while NATS is connected, and with no more than its `max_payload`.
        """
        line = _line(message.subject, message.reply, len(headers), len(payload))
        answered = self._answered()
        if not self._batches or self._batches[-1].answered is not answered:
            self._batches.append(_Batch(answered))
            answered.add_done_callback(self.settle)
        batch, size = self._batches[-1], len(line) + len(headers) + len(payload)
        batch.messages.append(message)
        batch.size += size
        batch.longest_subject = max(batch.longest_subject, len(message.subject.encode()))
        self._unconfirmed += size
        self._wire.queue(b"%b%b%b\r\n" % (line, headers, payload))

    def is_too_long(self, subject: str) -> bool:
        """Tell whether the server would hang up on such a subject, as it has before."""
        return 0 < self._too_long <= len(subject.encode())

    async def room(self) -> None:
        """Wait until there is room for one more, in this turn of the event loop or a later one.

        Who has waited for longest goes first.
        """
        if self._of_this_turn < MOST_A_TURN:
            self._take_place()
        else:
            place = asyncio.get_running_loop().create_future()
            self._in_line.append(place)
            await place
        while self._unconfirmed > MAX_UNCONFIRMED_BYTES:
            await asyncio.wait({self._batches[0].answered})
            await asyncio.sleep(0)  # the batch is settled in a callback of its own

    def _take_place(self) -> None:
        if not self._of_this_turn:
            asyncio.get_running_loop().call_soon(self._begin_turn)
        self._of_this_turn += 1

    def _begin_turn(self) -> None:
        self._of_this_turn = 0
        while self._in_line and self._of_this_turn < MOST_A_TURN:
            place = self._in_line.popleft()
            if not place.done():  # whoever waited may have left
                place.set_result(None)
                self._take_place()

    # What the server says

    def denied(self, text: str) -> None:
        """Take an error of the server that may be about a publication."""
        subject, batch = denied_publish(text), self._next_to_be_answered()
        if subject is not None and batch is not None:
            batch.deny(subject)

    def too_long(self) -> None:
        """Take note that the server hangs up on a control line that is too long for it."""
        batch = self._next_to_be_answered()
        if batch is not None:
            self._too_long = batch.longest_subject

    def _next_to_be_answered(self) -> _Batch | None:
        return next((each for each in self._batches if not each.answered.done()), None)

    def settle(self, answered: asyncio.Future[bool] | None = None) -> None:
        """Tell what became of all that was sent before a PING that is done. Idempotent."""
        while self._batches and self._batches[0].answered.done():
            batch = self._batches.popleft()
            self._unconfirmed -= batch.size
            batch.settle()


def _line(subject: str, reply: str, head: int, size: int) -> bytes:
    """Return the control line of a message with headers of `head` bytes and a payload of `size`."""
    to = f"{subject} {reply}" if reply else subject
    verb = f"HPUB {to} {head} {head + size}\r\n" if head else f"PUB {to} {size}\r\n"
    return verb.encode()
