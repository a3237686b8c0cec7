"""The tutorial's `manager.callback`: a program's own code for each message for each client."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bridge.messages import Message

logger = logging.getLogger("bridge.callback")


class Subscriber(Protocol):
    """What a `manager.callback` gets to write to: one browser."""

    async def send_str(self, text: str) -> None: ...
    def drop(self) -> None: ...


class Callback:
    """Calls a `manager.callback` for one client: message by message, in order, never two at once.

    An `async def` may take its time; `MAX_WAITING` messages wait for it, more are dropped and told.
    """

    MAX_WAITING = 1000

    def __init__(
        self, callback: Callable[[Any, Message], Awaitable[None] | None], subscriber: Subscriber
    ) -> None:
        self._callback = callback
        self._subscriber = subscriber
        self._is_async = inspect.iscoroutinefunction(callback)
        self._waiting: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None

    def __call__(self, message: Message) -> None:
        if not self._is_async:
            self._call(message)
        elif len(self._waiting) >= self.MAX_WAITING:
            self._subscriber.drop()
        else:
            self._waiting.append(message)
            if self._task is None:
                self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Forget what waits. Twice is harmless."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while self._waiting:
            result = self._call(self._waiting.popleft())
            if result is not None:
                try:
                    await result
                except Exception:
                    logger.exception("manager.callback failed")
        self._task = None

    def _call(self, message: Message) -> Awaitable[None] | None:
        try:
            return self._callback(self._subscriber, message)
        except Exception:
            # The program's own code: its fault must not cost the other followers the message.
            logger.exception("manager.callback failed")
            return None
