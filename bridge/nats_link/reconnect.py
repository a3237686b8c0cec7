"""How a NATS client gets back to a server: which one, when, and without what it has lost.

nats-py waits the same time before each try, begins with any server of the cluster, also with the
one just lost, and leaves the connections of tries that failed open. The overrides below hold for
nats-py 2.6.0 to 2.16.0.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

from nats import errors
from nats.aio.client import DEFAULT_BUFFER_SIZE, Client
from nats.aio.transport import TcpTransport

MIN_WAIT_SECONDS = 0.25
MAX_WAIT_SECONDS = 5.0
WAIT_GROWTH = 1.3
"""With this the wait is a third of the outage so far: short ones end soon after NATS is there."""
WAIT_JITTER = 0.2
"""The part of a wait left to chance, so that a server's gateways do not all come at once."""


class ReconnectingClient(Client):
    """A NATS client that tries for ever, sooner at first, and leaves nothing behind."""

    def __init__(self) -> None:
        super().__init__()
        self._wait = MIN_WAIT_SECONDS
        """Seconds a server is left alone after a try; grows until one succeeds."""

    @property
    def has_lost_a_task(self) -> bool:
        """Whether a task that should run just now has ended; nats-py does not look after them."""
        if self.is_connected:
            tasks = [self._reading_task, self._flusher_task]
        elif self.is_reconnecting or self.is_connecting:
            tasks = [self._reconnection_task]
        else:
            tasks = []
        return any(task is None or task.done() for task in tasks)

    async def reconnect(self) -> None:
        """Give up the connection, or the task that should be making one, and start over."""
        if self.is_connected:
            await self._process_op_err(errors.StaleConnectionError())
        elif self.has_lost_a_task:
            loop = asyncio.get_running_loop()
            self._reconnection_task = loop.create_task(self._attempt_reconnect())

    async def _select_next_server(self) -> None:
        """Connect to the server whose last try is longest ago, so to another one if there is."""
        while True:
            self._tidy_pool()
            server = min(self._server_pool, key=lambda each: each.last_attempt or 0.0)
            await self._pause(server.last_attempt)
            self._cut()
            try:
                if not self._transport:
                    self._transport = TcpTransport()  # type: ignore[no-untyped-call]
                server.last_attempt = time.monotonic()
                timeout = self.options["connect_timeout"]
                await self._transport.connect(server.uri, DEFAULT_BUFFER_SIZE, timeout)
            except Exception as error:  # a name can be wrong in many ways, and become right
                server.last_attempt = time.monotonic()
                await self._error_cb(error)
            else:
                self._current_server = server
                return

    async def _pause(self, last_attempt: float | None) -> None:
        """Wait until a server that was tried at `last_attempt` may be tried again."""
        if last_attempt is None:
            return
        wait = self._wait * random.uniform(1 - WAIT_JITTER, 1)  # noqa: S311  not a secret
        remaining = last_attempt + wait - time.monotonic()
        if remaining > 0:
            self._wait = min(self._wait * WAIT_GROWTH, MAX_WAIT_SECONDS)
            await asyncio.sleep(remaining)

    def _tidy_pool(self) -> None:
        """Have each server once: a cluster also names those we know."""
        by_address: dict[str, Any] = {}
        for server in self._server_pool:
            by_address.setdefault(server.uri.netloc.rpartition("@")[2], server)
        self._server_pool[:] = by_address.values()

    def _cut(self) -> None:
        """End what is left of a connection, without waiting for a server that may be frozen."""
        for task in (self._reading_task, self._ping_interval_task, self._flusher_task):
            if task is not None:
                task.cancel()
        writer = getattr(self._transport, "_io_writer", None)
        if writer is not None:
            writer.transport.abort()

    async def _attempt_reconnect(self) -> None:
        """Reconnect, and first end the flushes of the lost connection: no answer will come."""
        pongs, self._pongs = self._pongs, []
        for pong in pongs:
            if not pong.done():
                pong.set_exception(errors.ConnectionReconnectingError())
                pong.exception()  # not every ping is waited for
        self._cut()
        await super()._attempt_reconnect()

    async def _process_connect_init(self) -> None:
        """Sign in; whatever a server says to that, nats-py tries again after one of its errors."""
        try:
            await super()._process_connect_init()
        except (errors.Error, OSError, TimeoutError):
            raise
        except Exception as error:
            raise errors.Error(f"nats: cannot sign in: {error!r}") from error
        if not self.is_connected and self._transport is not None and self._transport.at_eof():
            # nats-py takes the end of the connection for an answer, and waits for messages.
            raise errors.Error("nats: the server ended the connection instead of signing in")
        self._wait = MIN_WAIT_SECONDS
        # Subscriptions are replayed. A SUB that is pending would come beside them, also one that
        # was given up meanwhile, and nobody would ever end it.
        self._pending.clear()
        self._pending_data_size = 0
