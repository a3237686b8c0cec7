"""Reads by a consumer: streams that serve no direct gets, and the latest of many subjects.

Such a consumer lives for one read. In a cluster it is several times slower than a direct get.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from nats import errors as nats_errors

from bridge.history.errors import HistoryError, NotPermittedError, UnansweredError
from bridge.history.js_api import API, Batch
from bridge.history.question import Question
from bridge.history.stored import read_delivered, status
from bridge.history.turns import Turns
from bridge.nats_link.whole_tap import WholeTap
from bridge.wire.subjects import INBOXES

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.stored import Stored
    from bridge.nats_link.items import Message
    from bridge.wire.codes import Code

MAX_READS, MAX_LONG_READS = 2, 32
"""At a time; the latter take many pages, and as long as somebody takes to read them."""
TURN_SECONDS = 5.0
"""Of a long read, after which another one has its turn, if one waits."""
TIMEOUT_SECONDS = 5.0
INACTIVE_SECONDS = 60
"""After which the server ends a consumer that was not deleted."""
TOO_LARGE = 409
NOBODY_WAITS = (0.01, 0.05, 0.2)
"""Seconds before one that was just made, and does not answer yet, is asked again."""


class Pulls:
    """Reads of all streams; they wait for each other."""

    def __init__(self, js: JetStream, *, prefix: str = "nats_bridge") -> None:
        self._js = js
        self._prefix = prefix
        self._room = asyncio.Semaphore(MAX_READS)
        self._turns = Turns(MAX_LONG_READS, TURN_SECONDS)

    async def get(self, stream: str, query: dict[str, Any]) -> Batch:
        """Answer what `JetStream.get` would. Raises HistoryError."""
        async with self._room, self._consumer(stream, query) as name:
            return await self._next(stream, name, query)

    async def pages(self, stream: str, query: dict[str, Any]) -> AsyncGenerator[Batch, None]:
        """Yield page after page, up to one that ends with the stream. Raises HistoryError.

        One that takes long gives up its consumer where others wait for one. Later it has another,
        and passes over what it had.
        """
        had = 0
        while True:
            async with self._turns.turn(self._consumer(stream, query)) as turn:
                while not turn.is_over:
                    async with self._room:
                        batch = await self._next(stream, turn.name, query)
                    fresh = [each for each in batch.messages if each.sequence > had]
                    if fresh:
                        had = fresh[-1].sequence
                        turn.begin()
                    if fresh or not batch.pending:
                        async with turn.pause():
                            yield Batch(fresh, batch.pending, 0)
                    if not batch.pending:
                        return

    @asynccontextmanager
    async def _consumer(self, stream: str, query: dict[str, Any]) -> AsyncIterator[str]:
        """Make one, and yield its name; who waits for room has none."""
        name = f"{self._prefix}-{secrets.token_hex(8)}"
        try:
            await self._make(stream, name, _config(query))
            yield name
        finally:
            with contextlib.suppress(HistoryError):
                await self._js.ask(f"CONSUMER.DELETE.{stream}.{name}")

    async def _make(self, stream: str, name: str, config: dict[str, Any]) -> None:
        config |= {
            "name": name,
            "ack_policy": "none",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": INACTIVE_SECONDS * 10**9,
        }
        body = {"stream_name": stream, "action": "create", "config": config}
        await self._js.ask(f"CONSUMER.CREATE.{stream}.{name}", body)
        self._js.counters.history_consumers += 1

    async def _next(self, stream: str, name: str, query: dict[str, Any]) -> Batch:
        size = {each: value for each, value in query.items() if each in ("batch", "max_bytes")}
        body = {"no_wait": True, **size}
        subject = f"{API}.CONSUMER.MSG.NEXT.{stream}.{name}"
        for wait in NOBODY_WAITS:
            page = _Page(subject, body["batch"])
            await self._fill(page, body)
            if page.ended_by == TOO_LARGE and not page.messages:
                body = {"batch": 1, "no_wait": True}  # one message alone is larger than a page
            elif page.ended_by != 503:
                return Batch(page.messages, page.pending, 0)
            else:
                await asyncio.sleep(wait)
        raise UnansweredError(f"a consumer on {stream!r} does not answer")

    async def _fill(self, page: _Page, body: dict[str, Any]) -> None:
        try:
            (sid,) = await self._js.link.subscribe_all([page])
        except (TimeoutError, nats_errors.Error, OSError) as error:
            raise UnansweredError(f"NATS is away: {error!r}") from None
        self._js.counters.history_reads["consumer"] += 1
        try:
            await self._js.carry(page.question, body, TIMEOUT_SECONDS)
        finally:
            self._js.link.unsubscribe(sid)


class _Page(WholeTap):
    """What a pull brings: so many messages, or fewer and a status.

    The messages come under their own subjects. So the inbox has a subscription of its own.
    """

    def __init__(self, subject: str, count: int) -> None:
        self.pattern = f"{INBOXES}.p.{secrets.token_hex(8)}"
        self.question = Question(subject, self.pattern, self._add)
        self.messages: list[Stored] = []
        self.pending = 0
        self.ended_by = 0
        self._count = count

    def take(self, message: Message) -> None:
        """Take a message of the stream, or the status that ends the page."""
        self.question.hand(message)

    def refuse(self, code: Code) -> None:
        """Take note that the inbox may not be subscribed to."""
        self.question.fail(NotPermittedError(self.pattern))

    def _add(self, message: Message) -> bool:
        delivered = read_delivered(message)
        if delivered is None:
            self.ended_by = status(message)
            return True
        self.messages.append(delivered.message)
        self.pending = delivered.pending
        return len(self.messages) == self._count


def _config(query: dict[str, Any]) -> dict[str, Any]:
    """Return what a consumer needs to bring what a direct get would."""
    if "multi_last" in query:
        return {"deliver_policy": "last_per_subject", "filter_subjects": query["multi_last"]}
    if "start_time" in query:
        return {"deliver_policy": "by_start_time", "opt_start_time": query["start_time"]}
    config = {"deliver_policy": "by_start_sequence", "opt_start_seq": max(query["seq"], 1)}
    if "next_by_subj" in query:
        config["filter_subject"] = query["next_by_subj"]
    return config
