"""What was asked of JetStream lately: those who want to know the same share one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from bridge.history.errors import ApiError, UnansweredError

KEPT_SECONDS = 5.0
"""From when on it was asked, for which an answer is kept."""
MAX_KEPT = 1000

K = TypeVar("K")
V = TypeVar("V")


class Asked(Generic[K, V]):
    """Answers by what they are about, also those under way; `ask` returns what asks for one."""

    def __init__(self, ask: Callable[[K], Coroutine[Any, Any, V]]) -> None:
        self._ask = ask
        self._kept: dict[K, tuple[float, asyncio.Task[V]]] = {}

    def has(self, key: K) -> bool:
        """Tell whether an answer is kept, or under way."""
        kept = self._kept.get(key)
        if kept is None or asyncio.get_running_loop().time() - kept[0] > KEPT_SECONDS:
            return False
        return not _has_failed_for_now(kept[1])

    async def get(self, key: K) -> V:
        """Return an answer, or raise what asking has raised."""
        if not self.has(key):
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            task = asyncio.create_task(self._ask(key))
            # Those who wait have it; it may be that nobody does any more.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._kept[key] = asyncio.get_running_loop().time(), task
        return await asyncio.shield(self._kept[key][1])


def _has_failed_for_now(task: asyncio.Task[V]) -> bool:
    """Tell whether there is no answer, for a reason that may have passed."""
    if not task.done():
        return False
    return task.cancelled() or isinstance(task.exception(), (UnansweredError, ApiError))
