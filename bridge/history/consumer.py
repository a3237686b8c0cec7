"""A push consumer of our own: nothing is acknowledged, and a gap in it is noticed."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nats import errors as nats_errors

from bridge.history.errors import HistoryError, NotPermittedError, UnansweredError
from bridge.history.runs import RunReader
from bridge.history.stored import fields, read_delivered
from bridge.nats_link.whole_tap import RunTap
from bridge.wire.subjects import INBOXES

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.stored import Stored
    from bridge.nats_link.items import Message
    from bridge.wire.codes import Code

TIMEOUT_SECONDS = 2.0
"""For the server to make or delete a consumer."""
INACTIVE_SECONDS = 30
"""After which the server ends one that nobody is subscribed to."""


class Owner(Protocol):
    """What a consumer brings its messages to."""

    def deliver(self, consumer: PushConsumer, messages: Sequence[Stored]) -> None:
        """Take the next messages."""

    def reach(self, consumer: PushConsumer, sequence: int) -> None:
        """Take note that all up to `sequence` that the filters match has been delivered."""

    def broken(self, consumer: PushConsumer) -> None:
        """Take note that something it has sent is missing."""


class PushConsumer(RunTap):
    """One consumer on a stream, in memory, from its making until it is ended.

    Its inbox has a subscription of its own: to the server, a wildcard that matches it is no
    interest, and such a consumer would never be sent anything.
    """

    def __init__(
        self, js: JetStream, stream: str, filters: Sequence[str], owner: Owner, prefix: str
    ) -> None:
        name = secrets.token_hex(8)
        self.pattern = f"{INBOXES}.t.{name}"
        self.name = f"{prefix}-{name}"
        self.filters = tuple(filters)
        self.heard_at = 0.0
        """When it sent something last, by the clock of the event loop."""
        self._js = js
        self._stream = stream
        self._owner = owner
        self._number = 0
        """Of the message that came last; it counts from 1."""
        self._sid: int | None = None
        self._runs: RunReader | None = None
        self._refused: Code | None = None

    async def begin(self, start: int, heartbeat: float) -> None:
        """Have the server make it, and send what there is from sequence `start` on.

        Messages may come before this returns. Raises HistoryError; then it has to be ended all
        the same, since the server may have made it.
        """
        try:
            (self._sid,) = await self._js.link.subscribe_all([self])
        except (TimeoutError, nats_errors.Error, OSError) as error:
            raise UnansweredError(f"NATS is away: {error!r}") from None
        if self._refused is not None:
            raise NotPermittedError(self.pattern)
        self._runs = RunReader(self._sid, self._stream, self.name)
        config: dict[str, Any] = {
            "name": self.name,
            "deliver_subject": self.pattern,
            "ack_policy": "none",
            "max_deliver": 1,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": start,
            "mem_storage": True,
            "num_replicas": 1,
            "flow_control": self._js.may_say,
            "idle_heartbeat": round(heartbeat * 10**9),
            "inactive_threshold": INACTIVE_SECONDS * 10**9,
        }
        if ">" not in self.filters:
            config["filter_subjects"] = self.filters
        body = {"stream_name": self._stream, "action": "create", "config": config}
        what = f"CONSUMER.CREATE.{self._stream}.{self.name}"
        await self._js.ask(what, body, TIMEOUT_SECONDS)
        self._js.counters.history_consumers += 1
        self.heard_at = asyncio.get_running_loop().time()

    async def end(self) -> None:
        """Unsubscribe, and have the server delete it; one that it keeps ends by itself soon."""
        if self._sid is not None:
            self._js.link.unsubscribe(self._sid)
            self._sid = None
        with contextlib.suppress(HistoryError):
            what = f"CONSUMER.DELETE.{self._stream}.{self.name}"
            await self._js.ask(what, seconds=TIMEOUT_SECONDS)

    def take(self, message: Message) -> None:
        """Take a message of the stream, or a word of the server."""
        self.heard_at = asyncio.get_running_loop().time()
        try:
            delivered = read_delivered(message)
        except UnicodeDecodeError:
            self._number += 1  # or it would be taken for missing, and asked for again for ever
            raise
        if delivered is None:
            self._listen(message)
        else:
            self._hand_on([delivered.message], delivered.number, delivered.number)

    def take_run(self, data: bytes, position: int) -> int:
        """Take the messages of the stream that begin at `position`; return where they end."""
        if self._runs is None:
            return position
        run, end = self._runs.read(data, position)
        if run is not None:
            self.heard_at = asyncio.get_running_loop().time()
            try:
                self._hand_on(run.messages, *run.numbers)
            except Exception as failure:
                self._js.link.skip(failure)
        return end

    def _hand_on(self, messages: Sequence[Stored], first: int, last: int) -> None:
        """Hand on messages, whose numbers only grow, unless one is missing before or among them."""
        if first == self._number + 1 and last == self._number + len(messages):
            self._number = last
            self._owner.deliver(self, messages)
        else:
            self._owner.broken(self)

    def refuse(self, code: Code) -> None:
        """Take note that the server does not accept the inbox, or not any more."""
        self._refused = code
        self._sid = None
        self._owner.broken(self)

    def _listen(self, message: Message) -> None:
        """Answer what the server wants an answer to; compare its count with ours."""
        if message.reply:  # it asks whether it may go on
            self._go_on(message.reply)
            return
        told = fields(message.headers or b"")
        stalled = told.get(b"Nats-Consumer-Stalled")
        if stalled is not None:
            self._go_on(stalled)
        number, sequence = told.get(b"Nats-Last-Consumer"), told.get(b"Nats-Last-Stream")
        if number is None or sequence is None:
            return
        if int(number) == self._number:
            self._owner.reach(self, int(sequence))
        else:
            self._owner.broken(self)

    def _go_on(self, subject: bytes) -> None:
        """Have it send what comes next; where NATS does not let us say so, another has to."""

        def refused() -> None:
            self._js.may_say = False
            self._owner.broken(self)

        self._js.say(subject.decode(), refused)
