"""Looks after the connections whose sockets do not take what is written at once."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Watched(Protocol):
    """What the watch needs of a connection."""

    @property
    def open(self) -> bool: ...
    def taken(self) -> int | None: ...
    def show_life(self) -> None: ...
    def tell_dropped(self) -> bool: ...
    def abort(self) -> None: ...


class StallWatch:
    """Cuts a connection that takes nothing for `timeout` seconds.

    Also lets a slow one that has room again know what it lost, even if no further message comes.
    Costs nothing while every socket takes what it is given.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._watched: dict[Watched, tuple[int | None, float]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, connection: Watched) -> None:
        """Watch `connection` until its socket has taken everything. Idempotent."""
        if connection in self._watched:
            return
        loop = asyncio.get_running_loop()
        self._watched[connection] = (connection.taken(), loop.time())
        if self._timer is None:
            self._timer = loop.call_later(self._timeout / 10, self._look)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        for connection in list(self._watched):
            if self._is_done(connection, loop.time()):
                del self._watched[connection]
        self._timer = loop.call_later(self._timeout / 10, self._look) if self._watched else None

    def _is_done(self, connection: Watched, now: float) -> bool:
        if not connection.open:
            return True
        taken = connection.taken()
        if taken is None:
            return connection.tell_dropped()
        before, since = self._watched[connection]
        if before is None or taken > before:
            self._watched[connection] = (taken, now)
            connection.show_life()
            connection.tell_dropped()
        elif now - since >= self._timeout:
            connection.abort()
            return True
        return False
