"""aiohttp's side of one TCP connection, which ends if its caller does not take what it is sent.

aiohttp waits for that without a bound. The answer to a request may be as large as NATS lets it be,
so callers who read nothing could make the gateway hold gigabytes.
"""

from __future__ import annotations

import asyncio

from bridge.telemetry.counters import Counters
from bridge.web.acknowledged import acknowledged
from bridge.web.forgetful import Forgetful


class Unread(Forgetful):
    """Ends a response of which nothing is taken for `write_timeout` seconds, or up to twice that.

    WebSockets and responses that go on have a watch of their own, which tells their browsers.
    """

    __slots__ = ("_look_again", "_taken", "counters", "switched", "write_timeout")

    counters: Counters
    write_timeout: float
    switched: bool
    """Whether no further request is to come: it is a WebSocket, or a response that goes on."""
    _look_again: asyncio.TimerHandle | None
    _taken: int
    """What the caller had taken when that was last looked at."""

    def watch(self, write_timeout: float, counters: Counters) -> None:
        """Watch it from now on."""
        self.write_timeout, self.counters = write_timeout, counters
        self.switched = False
        self._look_again, self._taken = None, 0

    def pause_writing(self) -> None:
        """Take note that more is written than the system takes."""
        super().pause_writing()
        if self._look_again is None:
            self._look_at_what_is_taken()

    def resume_writing(self) -> None:
        """Take note that there is room again."""
        super().resume_writing()
        self.stop_watching()

    def stop_watching(self) -> None:
        """Look no more. Idempotent."""
        if self._look_again is not None:
            self._look_again.cancel()
            self._look_again = None

    def _look_at_what_is_taken(self) -> None:
        transport = self.transport
        if transport is None or self.switched:
            self._look_again = None
            return
        taken = acknowledged(transport)
        if taken is None:  # elsewhere than on Linux
            taken = -transport.get_write_buffer_size()
        if self._look_again is not None and taken == self._taken:
            self._look_again = None
            self.counters.refused["too_late"] += 1
            transport.abort()
            return
        self._taken = taken
        loop = asyncio.get_running_loop()
        self._look_again = loop.call_later(self.write_timeout, self._look_at_what_is_taken)
