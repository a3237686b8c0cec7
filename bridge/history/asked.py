"""What was asked of JetStream lately: those who want to know the same share one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from bridge.history.errors import ApiError, UnansweredError

if TYPE_CHECKING:
    from bridge.history.streams import StreamInfo

KEPT_SECONDS = 5.0
"""From when on it was asked, for which an answer is kept."""
MAX_KEPT = 1000

K = TypeVar("K")


class Asked(Generic[K]):
    """Answers by what they are about, also those under way; `ask` returns what asks for one."""

    def __init__(self, ask: Callable[[K], Coroutine[Any, Any, StreamInfo]]) -> None:
        self._ask = ask
        self._kept: dict[K, tuple[float, asyncio.Task[StreamInfo]]] = {}

    async def get(self, key: K) -> StreamInfo:
        """Return an answer, or raise what asking has raised."""
        now = asyncio.get_running_loop().time()
        kept = self._kept.get(key)
        if kept is None or now - kept[0] > KEPT_SECONDS or _has_failed_for_now(kept[1]):
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            kept = self._kept[key] = now, asyncio.create_task(self._ask(key))
            # Those who wait have it; it may be that nobody does any more.
            kept[1].add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(kept[1])


def _has_failed_for_now(task: asyncio.Task[StreamInfo]) -> bool:
    """Tell whether there is no answer, for a reason that may have passed."""
    if not task.done():
        return False
    return task.cancelled() or isinstance(task.exception(), (UnansweredError, ApiError))
