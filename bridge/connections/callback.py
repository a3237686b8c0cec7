"""The tutorial's `manager.callback`: a program's own code for each message for each client."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from bridge.telemetry import events
from bridge.telemetry.logs import tell
from bridge.wire.metadata import size_of

if TYPE_CHECKING:
    from bridge.wire.envelope import Message

MESSAGE_OVERHEAD_BYTES = 500
"""Bytes a waiting message takes besides its payload, which may be empty."""

_FAULTS = (Exception, asyncio.CancelledError)
"""What a program's own code may raise; Cancelled, too, of something of its own."""


class Subscriber(Protocol):
    """What a `manager.callback` gets to write to: one browser."""

    async def send_str(self, text: str) -> None: ...
    def miss(self, count: int) -> None: ...
    def fail(self) -> None: ...
    def lose(self, count: int) -> None: ...


class Callback:
    """Calls a `manager.callback` for one client: message by message, in order, never two at once.

    An `async def` may take its time; while payloads of `max_pending_bytes` or more wait for it,
    further messages are dropped and told.
    """

    def __init__(
        self,
        callback: Callable[[Any, Message], Awaitable[None] | None],
        subscriber: Subscriber,
        max_pending_bytes: int,
    ) -> None:
        self._callback = callback
        self._subscriber = subscriber
        self._is_async = inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(
            getattr(callback, "__call__", None)  # noqa: B004  an object with an async __call__
        )
        self._max_pending = max_pending_bytes
        self._waiting: deque[Message] = deque()
        self._waiting_bytes = 0
        self._is_busy = False
        """Whether it is taking its time with a message."""
        self._stopped = False
        self._failed = False
        self._task: asyncio.Task[None] | None = None

    def __call__(self, message: Message) -> None:
        if self._is_async:
            self._queue(message)
            return
        # As in _call; written out because it is done for each message for each client.
        try:
            result = self._callback(self._subscriber, message)
        except _FAULTS:
            self._fail()
            return
        if result is not None and inspect.isawaitable(result):
            # A plain function that returns a coroutine, such as a lambda around one.
            self._is_async = self._is_busy = True
            self._task = asyncio.get_running_loop().create_task(self._run(result))

    def _queue(self, message: Message) -> None:
        if self._stopped:
            self._subscriber.lose(1)
            return
        if self._waiting_bytes >= self._max_pending:
            self._subscriber.miss(1)
            return
        self._waiting.append(message)
        self._waiting_bytes += size_of(message.payload) + MESSAGE_OVERHEAD_BYTES
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def waiting(self) -> int:
        """Messages that wait, and the one it is taking its time with."""
        return len(self._waiting) + self._is_busy

    def stop(self) -> None:
        """Drop what waits, and all that is still to come. Idempotent."""
        self._stopped = True
        self._subscriber.lose(self.waiting)
        self._waiting.clear()
        self._is_busy = False
        if self._task is not None:
            self._task.cancel()

    async def _run(self, result: Awaitable[None] | None = None) -> None:
        try:
            while result is not None or self._waiting:
                if result is None:
                    message = self._waiting.popleft()
                    self._waiting_bytes -= size_of(message.payload) + MESSAGE_OVERHEAD_BYTES
                    result = self._call(message)
                if result is not None:
                    await self._await(result)
                    result = None
        finally:
            self._task = None

    async def _await(self, result: Awaitable[None]) -> None:
        self._is_busy = True
        try:
            await result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._fail()  # what the program waits for was cancelled, and not this
        except Exception:
            if not self._stopped:  # or else `stop` has counted it
                self._fail()
        finally:
            self._is_busy = False

    def _call(self, message: Message) -> Awaitable[None] | None:
        try:
            return self._callback(self._subscriber, message)
        except _FAULTS:
            # The program's own code: its fault must not cost the other followers the message.
            self._fail()
            return None

    def _fail(self) -> None:
        if not self._failed:
            tell(events.CALLBACK_FAILED, sys.exception())
        self._failed = True
        self._subscriber.fail()
