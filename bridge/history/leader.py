"""What the leader of a stream says, and since when it says what may not be true for long."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from bridge.history.errors import NO_STREAM, ApiError, HistoryError, UnansweredError
from bridge.history.streams import StreamInfo, ask_info

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.tail import Tail
    from bridge.history.times import Times

INFO_TIMEOUT_SECONDS = 2.0


class Leader:
    """Asks the leader of the stream of `tail`."""

    def __init__(self, js: JetStream, tail: Tail, times: Times) -> None:
        self._js = js
        self._tail = tail
        self._times = times
        self._missing_since = self._behind_since = math.inf

    async def info(self) -> StreamInfo:
        """Return what the stream is. Raises HistoryError."""
        info = await ask_info(self._js, self._tail.stream, INFO_TIMEOUT_SECONDS)
        self._missing_since = math.inf
        return info

    def check(self, info: StreamInfo, position: int) -> None:
        """Take note of what it said when it was asked at `position`.

        Raises UnansweredError where it has less than was handed on, unless it has for long: it may
        be a new one, which has yet to catch up.
        """
        if not self._tail.is_ahead_of(info, position):
            self._behind_since = math.inf
            return
        now = asyncio.get_running_loop().time()
        self._behind_since = min(self._behind_since, now)
        if now - self._behind_since < self._times.behind:
            text = f"the leader of {self._tail.stream!r} has less than was delivered"
            raise UnansweredError(text)
        self._behind_since = math.inf

    def is_deleted(self, error: HistoryError) -> bool:
        """Tell whether the stream has not been there for long, where `error` came of asking."""
        if not (isinstance(error, ApiError) and error.number == NO_STREAM):
            return False
        now = asyncio.get_running_loop().time()
        self._missing_since = min(self._missing_since, now)
        return now - self._missing_since >= self._times.gone
