"""Requests to JetStream on the gateway's own NATS connection, and their answers."""

from __future__ import annotations

import asyncio
import itertools
import math
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from nats import errors as nats_errors

from bridge.history.errors import (
    ApiError,
    NoJetStreamError,
    NotPermittedError,
    TooManySubjectsError,
    UnansweredError,
)
from bridge.history.question import Question, Word
from bridge.history.stored import Stored, fields, is_of_batch, read_direct, status
from bridge.nats_link.whole_tap import WholeTap
from bridge.wire.subjects import INBOXES

if TYPE_CHECKING:
    from bridge.nats_link.client import NATSLink
    from bridge.nats_link.items import Message
    from bridge.wire.codes import Code

API = "$JS.API"
TIMEOUT_SECONDS = 5.0
SILENT_SECONDS = 10.0
"""For which it is taken not to answer, unless it does."""


class Batch(NamedTuple):
    """What a direct get has answered."""

    messages: list[Stored]
    pending: int
    """How many more match behind them, as far as the answering replica knows."""
    up_to: int
    """The last sequence the answering replica had; 0 if it does not say."""


class JetStream(WholeTap):
    """Asks, and hands each answer to its question; all answers come to one inbox."""

    def __init__(self, link: NATSLink) -> None:
        self.link = link
        self.counters, self.throttled = link.counters, link.throttled
        self.may_say = True
        """Whether consumers are told that they may go on; not if NATS has refused it."""
        self._silent_until = -math.inf
        self._prefix = f"{INBOXES}.h.{secrets.token_hex(8)}"
        self.pattern = f"{self._prefix}.*"
        self._questions: dict[str, Question] = {}
        self._numbers = itertools.count(1)
        self._refused: Code | None = None
        self._opening = asyncio.Lock()
        self._sid: int | None = None

    def close(self) -> None:
        """End what is under way. Idempotent."""
        self.lost()
        if self._sid is not None:
            self.link.unsubscribe(self._sid)

    def lost(self) -> None:
        """Take note that the connection was lost: what was under way is not answered any more."""
        self.may_say = True
        for question in self._questions.values():
            question.lost()

    def say(self, subject: str, refused: Callable[[], None]) -> None:
        """Publish nothing on a subject, as an answer; it is lost where NATS is away.

        `refused` is called if NATS does not let us.
        """
        if self.link.is_connected:
            self.link.sending.send(Word(subject, refused), b"")

    def note_silence(self) -> None:
        """Take note that JetStream does not answer: who need not ask should not wait for it."""
        self._silent_until = asyncio.get_running_loop().time() + SILENT_SECONDS

    @property
    def is_silent(self) -> bool:
        """Whether it did not answer a moment ago, and has not since."""
        return asyncio.get_running_loop().time() < self._silent_until

    async def ask(
        self, what: str, body: dict[str, Any] | None = None, seconds: float = TIMEOUT_SECONDS
    ) -> dict[str, Any]:
        """Return what JetStream answers to `what`, `STREAM.NAMES` say. Raises HistoryError."""
        return await self.request(f"{API}.{what}", body, seconds)

    async def request(
        self, subject: str, body: dict[str, Any] | None, seconds: float
    ) -> dict[str, Any]:
        """Return the one answer to a request, read from JSON. Raises HistoryError."""
        answers: list[Message] = []

        def take(message: Message) -> bool:
            answers.append(message)
            return True

        await self.put(subject, body, take, seconds)
        if status(answers[0]) == 503:
            raise NoJetStreamError(f"nobody answers on {subject!r}")
        try:
            answer = msgspec.json.decode(answers[0].payload)
        except msgspec.DecodeError:
            raise UnansweredError(f"the answer on {subject!r} is no JSON") from None
        error = answer.get("error")
        if error:
            number, description = error.get("err_code", 0), error.get("description", "")
            raise ApiError(number, description)
        result: dict[str, Any] = answer
        return result

    async def get(
        self, stream: str, query: dict[str, Any], seconds: float = TIMEOUT_SECONDS
    ) -> Batch:
        """Return the messages of a batch that some replica answers with. Raises HistoryError."""
        messages: list[Stored] = []
        end: list[Message] = []

        last: Message | None = None

        def take(message: Message) -> bool:
            nonlocal last
            stored = read_direct(message)
            if stored is None:
                end.append(message)
                return True
            messages.append(stored)
            last = message
            return not is_of_batch(message)  # nothing follows

        await self.put(f"{API}.DIRECT.GET.{stream}", query, take, seconds)
        number = status(end[0]) if end else 408
        if number in (408, 503):  # a server before 2.11 knows of no batches
            raise NoJetStreamError(f"{stream!r} does not serve direct gets")
        told = fields(end[0].headers or b"")
        if number == 413:
            raise TooManySubjectsError(f"too many subjects of {stream!r} match")
        if number not in (204, 404):
            raise ApiError(number, f"{stream!r} does not take {query!r}")
        up_to = told.get(b"Nats-UpTo-Sequence", b"0")
        if (
            "multi_last" in query and last is not None
        ):  # nats-server 2.11 says one too few at the end
            told = fields(last.headers or b"")
        return Batch(messages, int(told.get(b"Nats-Num-Pending", b"0")), int(up_to))

    async def put(
        self,
        subject: str,
        body: dict[str, Any] | None,
        take: Callable[[Message], bool],
        seconds: float,
    ) -> None:
        """Send a request; return once `take` has said that all has come. Raises HistoryError."""
        await self._open()
        reply = f"{self._prefix}.{next(self._numbers)}"
        await self.carry(Question(subject, reply, take), body, seconds)

    async def carry(self, question: Question, body: dict[str, Any] | None, seconds: float) -> None:
        """Send a question; return once it is answered. Raises HistoryError."""
        key = question.reply.rpartition(".")[2]
        self._questions[key] = question
        payload = b"" if body is None else msgspec.json.encode(body)
        try:
            if not self.link.is_connected:
                raise nats_errors.ConnectionReconnectingError
            self.link.sending.send(question, payload)
            await self._answer(question, seconds)
        except (TimeoutError, nats_errors.Error, OSError) as error:
            text = f"no answer on {question.subject!r}: {error!r}"
            raise UnansweredError(text) from None
        finally:
            del self._questions[key]
            question.answered.cancel()

    async def _answer(self, question: Question, seconds: float) -> None:
        """Wait until a question is answered. Raises TimeoutError if it is not.

        Slow is not silent: the answer may be on its way behind megabytes of others, and who asked
        again would only add to them. So time runs while nothing of it comes, and once it is up, all
        that the server has sent until now has its turn.
        """
        while not question.answered.done():
            parts = question.parts
            await asyncio.wait({question.answered}, timeout=seconds)
            if not question.answered.done() and question.parts == parts:
                await self.link.round_trip()
                if question.parts == parts:
                    raise TimeoutError("it took too long")
        question.answered.result()

    async def _open(self) -> None:
        """Subscribe to the inbox, if that is still to be done."""
        async with self._opening:
            if self._sid is None or self._refused is not None:
                self._refused = None
                try:
                    (self._sid,) = await self.link.subscribe_all([self])
                except (TimeoutError, nats_errors.Error, OSError) as error:
                    raise UnansweredError(f"NATS is away: {error!r}") from None
            if self._refused is not None:
                raise self._refusal(self._refused)

    # What comes from NATS

    def take(self, message: Message) -> None:
        """Hand an answer to its question; one that comes too late goes nowhere."""
        question = self._questions.get(message.subject.decode().rpartition(".")[2])
        if question is not None:
            if question.subject.startswith(API):
                self._silent_until = -math.inf
            question.hand(message)

    def refuse(self, code: Code) -> None:
        """Take note that the inbox may not be subscribed to."""
        self._refused = code
        for question in self._questions.values():
            question.fail(self._refusal(code))

    def _refusal(self, code: Code) -> Exception:
        if code == "denied":
            return NotPermittedError(self.pattern)
        return UnansweredError(f"NATS does not take {self.pattern!r} just now")
