"""The port that browsers come to: opening it, and the certificate and the files that go with it."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import ssl
from functools import partial
from typing import Any

from aiohttp import web

from bridge.service.urls import page_url
from bridge.telemetry import events
from bridge.telemetry.logs import say, tell
from bridge.telemetry.metrics import Counters
from bridge.web import kernel
from bridge.web.capacity import Door
from bridge.web.port import bind
from bridge.web.tcp import Arrival, TLSArrival
from bridge.web.tls import TLS, TLSError

SAY_AGAIN = 60.0
"""Seconds between two lines that say the same."""


class Listener:
    """Listens on `host` and `port` for those whom `door` lets in; by https if there is a `tls`.

    `shared`: other processes listen there, too, and the system spreads connections over all.
    """

    def __init__(
        self,
        host: str,
        port: int,
        door: Door,
        tls: TLS,
        counters: Counters,
        *,
        shared: bool = False,
    ) -> None:
        self._host, self._port, self._shared = host, port, shared
        self._door, self._tls, self._counters = door, tls, counters
        self._server: asyncio.Server | None = None

    async def open(self, web_server: web.Server) -> None:
        """Listen. Exits with 2 if the port cannot be had."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(LoopReports())
        self._use_all_files()
        context = self._tls.context() if self._tls else None
        if context is not None:
            loop.add_signal_handler(signal.SIGHUP, self._renew_certificate, context)
        arrive = partial(self._arrive, web_server, context)
        self._server = await bind(arrive, self._host, self._port, reuse_port=self._shared or None)
        scheme = "https" if self._tls else "http"
        url = page_url(self._host, self._port, scheme)
        say(f"page  {url}", events.LISTENING, url=url, pid=os.getpid())

    def close(self) -> None:
        """Take no connection any more; those that are open stay. Twice is harmless."""
        if self._server is not None:
            self._server.close()

    def _arrive(
        self, web_server: web.Server, context: ssl.SSLContext | None
    ) -> asyncio.BaseProtocol:
        """Return what takes care of a new connection."""
        arrival = Arrival(web_server, self._door, self._counters)
        if context is None:
            return arrival
        return TLSArrival(arrival, context, self._door.request_timeout)

    def _renew_certificate(self, context: ssl.SSLContext) -> None:
        try:
            self._tls.load_into(context)
            say("the certificate was read anew, for new connections", events.CERTIFICATE_RENEWED)
        except TLSError as error:
            tell(events.CERTIFICATE_USELESS, reason=str(error))

    def _use_all_files(self) -> None:
        before, files = kernel.raise_open_files()
        if files > before:
            tell(events.FILES_RAISED, files=files, before=before)
        self._door.set_files(files)


class LoopReports:
    """Logs what goes wrong in the event loop; of connections that cannot be taken, one line.

    asyncio tells of each one, thousands of times a second, and tries again after a second.
    """

    def __init__(self) -> None:
        self._said = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take a report, as `set_exception_handler` asks for."""
        if "out of system resource" not in str(context.get("message")):
            loop.default_exception_handler(context)
        elif loop.time() - self._said > SAY_AGAIN:
            self._said = loop.time()
            tell(events.NO_FILES)
