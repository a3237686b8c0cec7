"""The service: a Panini app that outlives NATS outages and stops in an orderly way.

The HTTP port comes first, NATS is waited for as long as it takes, and on a signal the browsers are
served to the end before the NATS connection is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import web
from nats import errors

from bridge.nats_link.client import NATSLink
from bridge.nats_link.embedded import EMBEDDED, EmbeddedNats, find_or_embed
from bridge.nats_link.watch import NatsWatch
from bridge.service.background import BackgroundTasks
from bridge.service.next_steps import NextSteps
from bridge.service.panini_app import PaniniApp
from bridge.service.signals import ignore_further_signals, on_other_signals, on_stop_signal
from bridge.service.workers import Worker
from bridge.settings.derived import Settings
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.logs import is_json, say, tell
from bridge.telemetry.loop_lag import LoopLag
from bridge.telemetry.throttled_log import ThrottledLog
from bridge.web.application import new_application
from bridge.web.capacity import Capacity
from bridge.web.gate import Gate
from bridge.web.listener import Listener
from bridge.web.proxy_protocol import ProxyHeaders
from bridge.wire.codes import NotReady
from bridge.wire.compression import Compression
from bridge.wire.subjects import INBOXES

# A stop takes eight seconds at most: one to catch up, two for handlers, two to drain NATS, three
# for the browsers.
CATCH_UP_TIMEOUT_SECONDS = 1
HANDLER_TIMEOUT_SECONDS = 1.0
DRAIN_TIMEOUT_SECONDS = 1


class Service(PaniniApp):
    """A Panini app for one gateway: HTTP first, NATS whenever it is there.

    `config`: where NATS is and how to sign in, where to listen, and whom to let in. Without a NATS
    server in it, the one on 127.0.0.1:4222 is used, or an embedded one if none answers there.
    `worker`: the place of this process among others.
    """

    def __init__(self, config: Settings, worker: Worker | None = None) -> None:
        worker = worker or Worker()
        self.counters = Counters()
        self.throttled = ThrottledLog()
        self._config = config
        self.nats_watch = NatsWatch(lambda: self.nats_servers, self.counters)
        if worker.embedded:
            self.nats_watch.kind = EMBEDDED
        self.loop_lag = LoopLag(self.counters)
        super().__init__(
            lambda: NATSLink(self.counters, config.sign_in, self.throttled),
            service_name="nats_websocket_bridge",
            servers=list(config.nats_url),
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
        self.on_nats_change = self.nats_watch.on_change
        """Called with True when messages flow, with False when they stop."""
        self.nats_chosen = asyncio.Event()
        """Set once it is known which NATS is used, and whether it is an embedded one."""
        self.show_status: Callable[[], None] = lambda: None
        """Called on SIGUSR1."""
        self.on_stop: list[Callable[[], Awaitable[None]]] = [self.throttled.tell_rest]
        """Called together when the service stops and NATS is still there."""
        self.background: list[Callable[[], Coroutine[Any, Any, None]]] = [self.loop_lag.run]
        """Run from the start to the stop."""
        if worker.number == 1:
            self.on_nats_change.append(self._next_steps(config))
        self._embedded: EmbeddedNats | None = None
        self._tasks = BackgroundTasks()
        self._stopping = False
        self._listen(config, shared=worker.count > 1)

    def _listen(self, config: Settings, *, shared: bool) -> None:
        """Set where the HTTP server is to listen and whom it lets in; routes go to `self.http`.

        `shared`: other processes listen there, too.
        """
        capacity = self.capacity = Capacity(
            config.max_connections,
            config.max_connections_per_address,
            config.request_timeout,
            config.proxies,
            self.counters,
            self.throttled,
            keepalive_timeout=config.keepalive_timeout,
            write_timeout=config.write_timeout,
        )
        keys = config.fetched_keys()
        if keys is not None:
            from bridge.web.key_fetcher import KeyFetcher  # as in `KeyFile`

            self.background.append(KeyFetcher(keys, self.throttled).run)
        self.gate = Gate(
            origins=config.origins,
            proxies=config.proxies,
            authentication=config.authentication(keys),
            operators=config.operators,
            capacity=capacity,
            counters=self.counters,
            throttled=self.throttled,
            max_request_bytes=config.max_request_bytes,
            token_timeout=config.token_timeout,
            compression=Compression(config.least_compressed, self.counters.note_compressed),
        )
        self.background += [self.gate.heartbeat.run, self.gate.idle_heartbeat.run]
        self.on_stop.append(self.gate.close)
        self._listener = Listener(
            config.http_host,
            config.http_port,
            capacity,
            config.tls,
            self.counters,
            headers=ProxyHeaders(config.proxies, self.throttled),
            metrics_port=config.metrics_port,
            shared=shared,
        )
        most, apart = config.max_request_bytes, config.metrics_port > 0
        self.setup_web_server(web_app=new_application(most, config.frame_ancestors, apart=apart))

    def _next_steps(self, config: Settings) -> NextSteps:
        return NextSteps(
            lambda: self.nats_watch.server,
            test_messages=config.test_messages,
            signs_in=config.signs_in,
            terminal=not is_json(config.log_format) and sys.stdout.isatty(),
        )

    @property
    def trouble(self) -> NotReady | None:
        """Why the service is not ready; None if it is."""
        return NotReady.STOPPING if self._stopping else self.nats_watch.trouble

    def start(self) -> None:
        """Serve until SIGINT or SIGTERM. Exits with 2 if the port cannot be had."""
        self.prepare()
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
        on_stop_signal(stop.set)
        on_other_signals(
            stop=stop.set, reread=self._listener.renew_certificate, show=lambda: self.show_status()
        )
        runner = await self.new_runner(HANDLER_TIMEOUT_SECONDS)
        assert runner.server is not None
        await self._listener.open(runner.server)
        if not self.nats_servers:
            await self._find_or_embed()
        self.nats_chosen.set()
        for work in self.background:
            self._tasks.run(work())
        self._tasks.run(self._use_nats())
        await stop.wait()
        await self._stop(runner)

    async def _stop(self, runner: web.AppRunner) -> None:
        """End browsers first and NATS last, so that no message on its way is lost."""
        self._stopping = True
        ignore_further_signals()
        begun = self.loop.time()
        say("stopping", events.STOPPING)
        self._listener.close()
        self.gate.shut()
        self._tasks.cancel()
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
            await self.nats_client.flush(CATCH_UP_TIMEOUT_SECONDS)

    async def _drain(self) -> None:
        """Leave NATS in an orderly way, if it answers."""
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            # Asked first: a drain that is not answered goes on for ten seconds, even if cancelled.
            await self.nats_client.flush(DRAIN_TIMEOUT_SECONDS)
            async with asyncio.timeout(DRAIN_TIMEOUT_SECONDS):
                await self.nats_client.drain()

    # NATS

    async def publish(self, subject: str, message: Any, *args: Any, **kwargs: Any) -> Any:
        """Publish as Panini does. Raises ConnectionError at once while NATS is not reachable."""
        if self.nats_watch.trouble is not None:
            raise ConnectionError("NATS is not reachable")
        return await super().publish(subject, message, *args, **kwargs)

    async def _use_nats(self) -> None:
        """Connect, however long it takes, then start what Panini starts: listeners and tasks."""
        await self.connect()
        self._tasks.run(self.nats_watch.begin(self.nats_client).run())
        for task in await self.start_listeners():
            self._tasks.run(task)

    async def _find_or_embed(self) -> None:
        may, keep = not self._config.signs_in, self._config.test_messages
        url, self._embedded = await find_or_embed(may_embed=may, keep=keep)
        self.use_server(url)
        if self._embedded is not None:
            self.nats_watch.kind = EMBEDDED

    async def _nats_lost(self) -> None:
        if not self._stopping:
            await self.nats_watch.lost()
