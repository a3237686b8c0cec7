"""Panini's App, made to outlive NATS outages and to stop in an orderly way.

Panini connects to NATS before it opens its HTTP port, and ends the process when the connection is
lost for long. Here the port comes first, NATS is waited for as long as it takes, and on a signal
the browsers are served to the end before NATS is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import ModuleType
from typing import Any

from aiohttp import web
from nats import errors

from bridge.access.policy import INBOXES
from bridge.nats_link.client import NATSLink
from bridge.nats_link.default_server import EMBEDDED, find_or_embed
from bridge.nats_link.embedded import EmbeddedNats
from bridge.nats_link.sign_in import SignIn
from bridge.nats_link.watch import NatsWatch
from bridge.service.interval import every
from bridge.telemetry import events
from bridge.telemetry.logs import say, tell
from bridge.telemetry.loop_lag import LagWatch
from bridge.telemetry.metrics import Counters
from bridge.telemetry.throttled_log import Refusals
from bridge.web.capacity import Door
from bridge.web.listener import Listener
from bridge.web.tls import TLS

# Panini applies nest_asyncio when it is imported: asyncio's tasks and futures would become the slow
# pure-Python ones, and Python 3.14 would not start. Only Panini's `*_sync` methods need it.
_stub = ModuleType("nest_asyncio")
_stub.apply = lambda: None  # type: ignore[attr-defined]
sys.modules.setdefault("nest_asyncio", _stub)
# Panini asks for "the" event loop when an App is made, and Python 3.14 no longer makes one up.
asyncio.set_event_loop(asyncio.new_event_loop())

from panini import app as panini_app  # noqa: E402
from panini.managers import nats_client  # noqa: E402

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A stop takes eight seconds at most: these, the last two twice, and three for the browsers.
CATCH_UP_TIMEOUT = 1
HANDLER_TIMEOUT = 1.0
DRAIN_TIMEOUT = 1


class Service(panini_app.App):  # type: ignore[misc]  # Panini is not typed
    """A Panini app for one gateway: HTTP first, NATS whenever it is there.

    `nats_url`: servers to connect to. If there are none, the one on 127.0.0.1:4222 is used, or an
    embedded one if none answers there. `sign_in`: how; then none is embedded. `refusals` tells what
    NATS denies.
    """

    http: web.RouteTableDef
    task: Callable[..., Callable[[Callable[[], Awaitable[None]]], None]]

    def __init__(
        self,
        nats_url: tuple[str, ...] = (),
        counters: Counters | None = None,
        sign_in: SignIn | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self.counters = counters or Counters()
        self._sign_in = sign_in or SignIn()
        self.nats_watch = NatsWatch(lambda: self.nats.servers, self.counters)
        self.lag_watch = LagWatch(self.counters)
        nats_client.NATS = lambda: NATSLink(self.counters, self._sign_in, refusals)
        super().__init__(
            service_name="nats_websocket_bridge",
            servers=list(nats_url),
            custom_logger=logging.getLogger("bridge"),
            reconnect=True,
            max_reconnect_attempts=-1,
            ping_interval=10,
            max_outstanding_pings=2,
            inbox_prefix=INBOXES,
            pending_size=0,  # what cannot be published now fails now, and is not sent an hour later
            error_cb=self.nats_watch.error,
            disconnected_cb=self._nats_lost,
            reconnected_cb=self.nats_watch.back,
        )
        self.nats._panini_watcher = _nothing
        self._task_manager.wrapper_for_interval_task = every
        self.on_nats_change = self.nats_watch.on_change
        """Called with True when messages flow, with False when they stop."""
        self.on_stop: list[Callable[[], Awaitable[None]]] = []
        """Called together when the service stops and NATS is still there."""
        self._embedded: EmbeddedNats | None = None
        self.background: list[Callable[[], Coroutine[Any, Any, None]]] = [self.lag_watch.run]
        """Run from the start to the stop."""
        self._background: list[asyncio.Task[Any]] = []
        self._stopping = False

    def setup_web_server(  # type: ignore[no-untyped-def]
        self,
        host: str = "127.0.0.1",
        port: int = 5001,
        web_app=None,
        door: Door | None = None,
        tls: TLS | None = None,
        *,
        shared: bool = False,
        **options,
    ) -> None:
        """Set where the HTTP server is to listen and whom it lets in; routes go to `self.http`.

        `shared`: other processes may listen there, too.
        """
        door, tls = door or Door(), tls or TLS()
        self._listener = Listener(host, port, door, tls, self.counters, shared=shared)
        super().setup_web_server(web_app=web_app or web.Application(), **options)

    @property
    def trouble(self) -> str | None:
        """Why the service is not ready: `nats_down`, `nats_auth`, `stopping`; None if it is."""
        return "stopping" if self._stopping else self.nats_watch.trouble

    def start(self) -> None:
        """Serve until SIGINT or SIGTERM. Exits with 2 if the port cannot be had."""
        # Panini's own start of the client sets up its middleware and would then wait for NATS.
        self._connect, self.nats._establish_connection = self.nats._establish_connection, _nothing
        self.nats.set_listeners(self._event_manager.subscriptions, {})
        self.nats.start()
        # All connections stand still while garbage is collected. What has been made so far will
        # stay, so it need not be looked at; and a connection is made of many objects, so that the
        # default of 700 new ones would mean a look at everything, for hundreds of milliseconds,
        # again and again while connections come.
        gc.freeze()
        gc.set_threshold(2000, 10, 10)
        try:
            self.loop.run_until_complete(self._serve())
        finally:
            if self._embedded is not None:
                self._embedded.stop()

    async def _serve(self) -> None:
        stop = asyncio.Event()
        for number in STOP_SIGNALS:
            self.loop.add_signal_handler(number, stop.set)
        web_app = self.http_server.web_app
        web_app.add_routes(self.http_server.routes)
        runner = web.AppRunner(web_app, shutdown_timeout=HANDLER_TIMEOUT)
        await runner.setup()
        assert runner.server is not None
        await self._listener.open(runner.server)
        if not self.nats.servers:
            await self._find_or_embed()
        for work in self.background:
            self._run_in_background(work())
        self._run_in_background(self._use_nats())
        await stop.wait()
        await self._stop(runner)

    async def _stop(self, runner: web.AppRunner) -> None:
        """End browsers first and NATS last, so that no message on its way is lost."""
        self._stopping = True
        for number in STOP_SIGNALS:
            # Further ones have nothing to add, and Python's last moments would die of them.
            signal.signal(number, signal.SIG_IGN)
        begun = self.loop.time()
        say("stopping", events.STOPPING)
        self._listener.close()
        for task in self._background:
            task.cancel()
        if self.nats_watch.trouble is None:
            await self._catch_up()
        # At the same time, so that the stop takes no longer than the slowest.
        for failure in await asyncio.gather(
            *(hook() for hook in self.on_stop), return_exceptions=True
        ):
            if failure is not None:
                tell(events.HOOK_FAILED, failure)
        await runner.cleanup()
        if self.nats_watch.trouble is None:
            await self._drain()
        seconds = round(self.loop.time() - begun, 3)
        say(f"stopped after {seconds:.1f} s", events.STOPPED, seconds=seconds)

    async def _catch_up(self) -> None:
        """Read what NATS has for us by now: it was published before the stop."""
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            await self.nats.client.flush(CATCH_UP_TIMEOUT)

    async def _drain(self) -> None:
        """Leave NATS in an orderly way, if it answers."""
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            # Asked first: a drain that is not answered goes on for ten seconds, even if cancelled.
            await self.nats.client.flush(DRAIN_TIMEOUT)
            async with asyncio.timeout(DRAIN_TIMEOUT):
                await self.nats.client.drain()

    def _run_in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        task.add_done_callback(_log_failure)
        self._background.append(task)

    # NATS

    async def publish(self, subject: str, message: Any, *args: Any, **kwargs: Any) -> Any:
        """Publish as Panini does. Raises ConnectionError at once while NATS is not reachable."""
        if self.nats_watch.trouble is not None:
            raise ConnectionError("NATS is not reachable")
        return await super().publish(subject, message, *args, **kwargs)

    async def _use_nats(self) -> None:
        """Connect, however long it takes, then start what Panini starts: listeners and tasks."""
        await self._connect()
        self.nats._establish_connection = self._connect
        self._run_in_background(self.nats_watch.begin(self.nats.client).run())
        await self.nats.subscribe_listeners()
        for on_start in self._task_manager.on_start_tasks:
            await on_start()
        for task in self._task_manager.tasks:
            self._run_in_background(task())

    async def _find_or_embed(self) -> None:
        url, self._embedded = await find_or_embed(may_embed=self._sign_in == SignIn())
        self.nats.servers = [url]
        if self._embedded is not None:
            self.nats_watch.kind = EMBEDDED

    async def _nats_lost(self) -> None:
        if not self._stopping:
            await self.nats_watch.lost()


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        tell(events.BACKGROUND_FAILED, task.exception())


async def _nothing() -> None:
    pass
