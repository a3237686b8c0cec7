"""Where those go on who are too far behind: counted once for all who are at the same place.

Who follows the same of a stream falls behind at the same place where the tail passes over what came
in an outage. Each count may take many requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bridge.wire.cursor import Cursor
from bridge.wire.wishes import After

if TYPE_CHECKING:
    from bridge.history.starts import Starts
    from bridge.history.tail import Tail

KEPT_SECONDS = 1.0
"""For which a count is good: so long it takes until all have asked. More may come meanwhile."""

Cut = dict[str, int] | None
_Key = tuple[str, str, tuple[str, ...], int]


class Cuts:
    """Finds them by what `starts` counts."""

    def __init__(self, starts: Starts) -> None:
        self._starts = starts
        self._counts: dict[_Key, asyncio.Task[Cut]] = {}

    async def find(self, tail: Tail, patterns: Iterable[str], after: int) -> Cut:
        """Return where the newest begin that may be replayed, by pattern; None if that is `after`.

        Raises HistoryError.
        """
        key = tail.stream, tail.epoch, tuple(sorted(patterns)), after
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = asyncio.create_task(self._count(tail, key))
            # Those who wait have it; it may be that nobody does any more.
            count.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(count)

    async def _count(self, tail: Tail, key: _Key) -> Cut:
        _, epoch, patterns, after = key
        seconds = 0.0
        try:
            wish = After((Cursor(tail.stream, epoch, after),))
            start = await self._starts.find(tail, patterns, wish)
            seconds = KEPT_SECONDS
            return start.after if start.reason == "too_many" else None
        finally:
            asyncio.get_running_loop().call_later(seconds, self._counts.pop, key, None)
