"""Panini's App, adapted: what is replaced of it, and why. No other file knows Panini.

Panini 0.8.4 connects to NATS before it opens its HTTP port, and ends the process when the
connection is lost for long; its client, its timers and its start are replaced here, by names that
are not public. The package is pinned: none of them can change unnoticed.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from types import ModuleType
from typing import Any

from aiohttp import web

from bridge.service.interval import every

# Panini applies nest_asyncio when it is imported: asyncio's tasks and futures would become the slow
# pure-Python ones, and Python 3.14 would not start. Only Panini's `*_sync` methods need it.
_stub = ModuleType("nest_asyncio")
_stub.apply = lambda: None  # type: ignore[attr-defined]
sys.modules.setdefault("nest_asyncio", _stub)
# Panini asks for "the" event loop when an App is made, and Python 3.14 no longer makes one up.
asyncio.set_event_loop(asyncio.new_event_loop())

from panini import app as panini_app  # noqa: E402
from panini.managers import nats_client  # noqa: E402

# Panini makes its client of a class that it looks up by this name, which all of its apps share.
_new_client: ContextVar[Callable[[], Any]] = ContextVar("new_client", default=nats_client.NATS)
nats_client.NATS = lambda: _new_client.get()()


class PaniniApp(panini_app.App):  # type: ignore[misc]  # Panini is not typed
    """A Panini app that is started piece by piece, with a NATS client of ours.

    `new_client` makes the client. The rest goes to that client as Panini's App hands it on.
    """

    http: web.RouteTableDef
    task: Callable[..., Callable[[Callable[[], Awaitable[None]]], None]]
    loop: asyncio.AbstractEventLoop

    def __init__(self, new_client: Callable[[], Any], **options: Any) -> None:
        super().__init__(custom_logger=logging.getLogger("bridge"), **options)
        self._new_client = new_client
        # Panini's own ends the process when the connection is lost for long.
        self.nats._panini_watcher = _nothing
        # Panini's own ends a task without a word when it fails once.
        self._task_manager.wrapper_for_interval_task = every

    @property
    def nats_client(self) -> Any:
        """The NATS client; None until there is one."""
        return getattr(self.nats, "client", None)

    @property
    def nats_servers(self) -> list[str]:
        """URLs of the NATS servers that are tried."""
        return list(self.nats.servers)

    def use_server(self, url: str) -> None:
        """Set the NATS server to connect to. To be called before `connect`."""
        self.nats.servers = [url]

    def js_listen(self, *args: Any, **options: Any) -> Any:
        """Refuse what is not supported, rather than never call the listener."""
        raise NotImplementedError("JetStream listeners are not supported by this App")

    def prepare(self) -> None:
        """Set up the client and its middleware, as Panini does, but do not wait for NATS yet."""
        self._connect, self.nats._establish_connection = self.nats._establish_connection, _nothing
        self.nats.set_listeners(self._event_manager.subscriptions, {})
        self.nats.start()

    async def connect(self) -> None:
        """Connect, however long it takes."""
        token = _new_client.set(self._new_client)
        try:
            await self._connect()
        finally:
            _new_client.reset(token)
        self.nats._establish_connection = self._connect

    async def start_listeners(self) -> list[Coroutine[Any, Any, None]]:
        """Start what Panini starts once NATS is there; return its tasks, which are to be run."""
        await self.nats.subscribe_listeners()
        for on_start in self._task_manager.on_start_tasks:
            await on_start()
        return [task() for task in self._task_manager.tasks]

    async def new_runner(self, shutdown_timeout: float) -> web.AppRunner:
        """Return what serves the routes, set up."""
        web_app = self.http_server.web_app
        web_app.add_routes(self.http_server.routes)
        runner = web.AppRunner(web_app, shutdown_timeout=shutdown_timeout)
        await runner.setup()
        return runner


async def _nothing() -> None:
    pass
