"""How a NATS client gets back to a server: which one, when, and without what it has lost.

nats-py waits the same time before each try, begins with any server of the cluster, also with the
one just lost, and leaves the connections of tries that failed open. The overrides below hold for
nats-py 2.6.0 to 2.16.0.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Collection
from typing import Any

from nats import errors
from nats.aio.client import Client

from bridge.nats_link.failure import Failure
from bridge.nats_link.greeting import (
    SILENCE_SECONDS,
    GreetingTransport,
    NoTlsError,
)

MIN_WAIT_SECONDS = 0.25
MAX_WAIT_SECONDS = 5.0
WAIT_SHARE = 0.3
"""Of the outage so far: short ones end soon after NATS is there."""
WAIT_JITTER = 0.2
"""The part of a wait left to chance, so that a server's gateways do not all come at once."""
HEAD_START_SECONDS = 0.1
"""For each server to greet, before the next one is tried as well."""

NO_WORD = "it has greeted, and does not answer in time when the gateway signs in"


class ReconnectingClient(Client):
    """A NATS client that tries for ever, sooner at first, and leaves nothing behind."""

    def __init__(self) -> None:
        super().__init__()
        self._since = math.inf
        """When the first try since the last success was made."""
        self._chance = 0.0
        """Of the wait before the next try; new for each."""
        self._last_start = 0.0
        self._leaving: asyncio.Task[None] | None = None
        self._greeted: tuple[Any, GreetingTransport] | None = None
        """The server that is gone to, before the connection to another one is given up."""
        self._silence = SILENCE_SECONDS
        """Seconds after which TLS is begun with, where it is wanted."""
        self._slow_to_greet: set[str] = set()
        """Addresses that seemed to wait for TLS and did not."""

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
        """Connect to the first server that greets; ask first whose last try is longest ago."""
        self._cut()
        greeted, self._greeted = self._greeted, None
        self._current_server, self._transport = greeted or await self._first_to_greet()

    def leave(self) -> None:
        """Go to another server as soon as one greets, since this one is about to stop. Idempotent.

        Messages are missed from the end of this connection until the other one is signed in to.
        """
        if self._leaving is None or self._leaving.done():
            self._leaving = asyncio.create_task(self._go_to_another())

    async def _go_to_another(self) -> None:
        # Also by the address of this one, which may stand for many: itself it takes nobody.
        self._greeted = await self._first_to_greet()
        await self._process_op_err(errors.StaleConnectionError())

    async def _first_to_greet(self) -> tuple[Any, GreetingTransport]:
        """Try all servers, each a moment after the one before, until one greets.

        A cluster also names addresses that nobody here can reach. They cost the others a moment.
        """
        racing: dict[asyncio.Task[GreetingTransport], Any] = {}
        try:
            while True:
                server, pause = self._next_to_try(racing.values())
                done = await _first_of(racing, pause)
                if not done:
                    self._last_start = time.monotonic()
                    racing[asyncio.create_task(self._greet(server))] = server
                for each in done:
                    server = racing.pop(each)
                    server.last_attempt = time.monotonic()
                    error = each.exception()
                    if error is None:
                        return server, each.result()
                    if not isinstance(error, Exception):
                        raise error
                    await self._error_cb(Failure(server.uri, error))
        finally:
            for each in racing:
                each.cancel()
                each.add_done_callback(_abort)

    def _next_to_try(self, racing: Collection[Any]) -> tuple[Any, float | None]:
        """Return the next server, and the seconds until its turn; None if all are being tried."""
        self._tidy_pool()
        idle = [each for each in self._server_pool if each not in racing]
        if not idle:
            return None, None
        now = time.monotonic()
        server = min(idle, key=lambda each: each.last_attempt or 0.0)
        due = now
        if server.last_attempt is not None:
            due = server.last_attempt + self._wait(now) * (1 - WAIT_JITTER * self._chance)
        if racing:
            due = max(due, self._last_start + HEAD_START_SECONDS)
        return server, due - now

    def _wait(self, now: float) -> float:
        """Return the seconds a server is left alone after a try: part of the outage so far."""
        self._since = min(self._since, now)
        return min(max(MIN_WAIT_SECONDS, (now - self._since) * WAIT_SHARE), MAX_WAIT_SECONDS)

    async def _greet(self, server: Any) -> GreetingTransport:
        """Return a connection to a server that has greeted."""
        self._chance = random.random()  # noqa: S311  not a secret
        server.last_attempt = time.monotonic()
        transport, address = GreetingTransport(self.options["connect_timeout"]), server.uri.netloc
        is_slow, tls = address in self._slow_to_greet, self.wants_tls(server)
        silence = self.options["connect_timeout"] if is_slow else self._silence
        self._slow_to_greet.discard(address)
        try:
            await transport.open(server.uri)
            name = server.tls_name or server.uri.hostname
            await transport.greet(name, (lambda: self.ssl_context) if tls else None, silence)
        except BaseException as error:
            if isinstance(error, NoTlsError):
                self._slow_to_greet.add(address)
                self._silence = SILENCE_SECONDS
            transport.abort()
            raise
        if tls:  # the servers of a cluster are alike
            self._silence = 0.0 if transport.had_tls_first else SILENCE_SECONDS
        return transport

    def wants_tls(self, server: Any) -> bool:
        """Tell whether nothing may be shown to a server without TLS."""
        return bool(server.uri.scheme == "tls")

    def _forget_servers(self, named: list[str] | None) -> None:
        """Forget servers that the cluster has named before and no longer names; nats-py never."""
        if named:
            self._server_pool[:] = [
                each
                for each in self._server_pool
                if not each.discovered or each is self._current_server or each.uri.netloc in named
            ]

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
        if self._leaving is not None:
            self._leaving.cancel()
        self._since = math.inf  # looking for another one to leave to was no outage
        pongs, self._pongs = self._pongs, []
        for pong in pongs:
            if not pong.done():
                pong.set_exception(errors.ConnectionReconnectingError())
                pong.exception()  # not every ping is waited for
        self._cut()
        await super()._attempt_reconnect()

    async def _process_connect_init(self) -> None:
        """Sign in; whatever a server says to that, nats-py tries again after one of its errors."""
        assert self._current_server is not None
        uri = self._current_server.uri
        try:
            await super()._process_connect_init()
        except TimeoutError:
            raise Failure(uri, NO_WORD) from None
        except (errors.Error, OSError) as error:
            raise Failure(uri, error) from error
        except Exception as error:
            raise Failure(uri, f"cannot sign in: {error!r}") from error
        if not self.is_connected and self._transport is not None and self._transport.at_eof():
            # nats-py takes the end of the connection for an answer, and waits for messages.
            raise Failure(uri, "the server ended the connection instead of signing in")
        self._since = math.inf
        # Subscriptions are replayed. A SUB that is pending would come beside them, also one that
        # was given up meanwhile, and nobody would ever end it.
        self._pending.clear()
        self._pending_data_size = 0


async def _first_of(
    racing: Collection[asyncio.Task[Any]], seconds: float | None
) -> set[asyncio.Task[Any]]:
    """Return the tasks that are done first; none if that takes longer."""
    if not racing:
        assert seconds is not None
        if seconds > 0:
            await asyncio.sleep(seconds)
        return set()
    timeout = None if seconds is None else max(seconds, 0.0)
    done, _ = await asyncio.wait(racing, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    return done


def _abort(greeting: asyncio.Task[GreetingTransport]) -> None:
    """End the connection of a server that has greeted too late."""
    if not greeting.cancelled() and greeting.exception() is None:
        greeting.result().abort()
