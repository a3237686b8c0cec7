"""The streams that a gateway follows: a tail for each, for as long as somebody needs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.history.errors import NoHistoryError
from bridge.history.keeper import Keeper
from bridge.history.tail import Tail
from bridge.history.times import Times

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.streams import StreamInfo

LINGER_SECONDS = 30.0
"""Without a user, after which a tail ends: a page that is loaded again needs it again."""


class _Used:
    """A tail, and how many use it."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.users = 0
        self.ends: asyncio.TimerHandle | None = None


class Tails:
    """One tail for each stream in use. `prefix` begins the names of its consumers."""

    def __init__(
        self,
        js: JetStream,
        *,
        prefix: str = "nats_bridge",
        max_streams: int = 64,
        max_replay: int = 10000,
        times: Times | None = None,
        linger: float = LINGER_SECONDS,
    ) -> None:
        self._js = js
        self._prefix = prefix
        self._max_streams = max_streams
        self._max_replay = max_replay
        self._times = times or Times()
        self._linger = linger
        self._tails: dict[str, _Used] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tails)

    def use(self, info: StreamInfo) -> Keeper:
        """Return what keeps the tail of a stream; each call needs one of `leave`.

        Raises NoHistoryError if there are too many.
        """
        used = self._tails.get(info.name)
        if used is not None and used.keeper.tail.epoch != info.epoch and used.users:
            used.keeper.renew()  # it was made again, and nobody had told yet
        elif used is not None and (used.keeper.is_gone or used.keeper.tail.epoch != info.epoch):
            self._end(info.name, used)
            used = None
        if used is None:
            if len(self._tails) >= self._max_streams:
                text = f"this gateway follows {self._max_streams} streams already"
                raise NoHistoryError("too_many_streams", text)
            tail = Tail(info, max_replay=self._max_replay)
            keeper = Keeper(self._js, tail, prefix=self._prefix, times=self._times)
            used = self._tails[info.name] = _Used(keeper)
        used.users += 1
        if used.ends is not None:
            used.ends.cancel()
            used.ends = None
        return used.keeper

    def leave(self, keeper: Keeper) -> None:
        """Take back one `use`; the last one ends the tail after a while."""
        name = keeper.tail.stream
        used = self._tails.get(name)
        if used is None or used.keeper is not keeper:
            return  # of a stream that was deleted
        used.users -= 1
        if not used.users:
            loop = asyncio.get_running_loop()
            used.ends = loop.call_later(self._linger, self._end, name, used)

    def renew(self) -> None:
        """Make all consumers again, after a reconnect."""
        for used in self._tails.values():
            used.keeper.renew()

    async def close(self) -> None:
        """End all tails. Idempotent."""
        for name, used in list(self._tails.items()):
            self._end(name, used)
        if self._closing:
            await asyncio.wait(self._closing)

    def _end(self, name: str, used: _Used) -> None:
        del self._tails[name]
        if used.ends is not None:
            used.ends.cancel()
        task = asyncio.create_task(used.keeper.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
