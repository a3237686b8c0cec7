"""The ports, for browsers and for operators: opening them, and the certificate and the files."""

from __future__ import annotations

import asyncio
import os
import resource
import ssl
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from aiohttp import web

from bridge.container import in_container
from bridge.files import SettingError
from bridge.telemetry import events
from bridge.telemetry.counters import Counters
from bridge.telemetry.logs import say, tell
from bridge.telemetry.throttled_log import ThrottledLog
from bridge.web.application import noted
from bridge.web.capacity import Capacity
from bridge.web.counted_tls import CountedTLS
from bridge.web.port import ALL_ADDRESSES, ALL_OF_IPV4, bind
from bridge.web.proxy_protocol import FirstBytes, ProxyHeaders
from bridge.web.tcp import CountedHandler
from bridge.web.tls import TLS

NO_FILES_MESSAGE = "out of system resource"
"""What asyncio says, without a code, where a connection cannot be taken (`selector_events.py`)."""
RETRY_CALLBACK = "_start_serving"
"""What asyncio calls a second later, also if the port has been closed meanwhile; it then fails."""
MAX_OPEN_FILES = 1048576
"""Where the system sets no bound."""
FEWER_OPEN_FILES = (61440, 10240)
"""What macOS takes, where it is not asked for more: `kern.maxfilesperproc`, `OPEN_MAX`."""
EVERYWHERE = {ALL_OF_IPV4: "127.0.0.1", ALL_ADDRESSES: "::1"}
"""What stands for every address: one of them that this machine reaches."""
ON_A_MACHINE = " (and on every other address of this machine)"
IN_A_CONTAINER = " (in this container, on all its addresses; outside, where its port is published)"


class Listener:
    """Listens on `host` and `port`, by https if there is a `tls`; `capacity` counts who comes.

    `headers`: of balancers, which may come first. `metrics_port`: for operators; 0 for none.
    `shared`: other processes listen there, too, and the system spreads connections over all.
    """

    def __init__(
        self,
        host: str,
        port: int,
        capacity: Capacity,
        tls: TLS,
        counters: Counters,
        *,
        headers: ProxyHeaders,
        metrics_port: int = 0,
        shared: bool = False,
    ) -> None:
        self._host, self._port, self._shared = host, port, shared
        self._capacity, self._tls, self._counters = capacity, tls, counters
        self._headers, self._metrics_port = headers, metrics_port
        self._servers: list[asyncio.Server] = []
        self._context: ssl.SSLContext | None = None

    async def open(self, web_server: web.Server) -> None:
        """Listen. Exits with 2 if a port cannot be had."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(LoopReports())
        self._use_all_files()
        context = self._tls.context() if self._tls else None
        self._context = context
        web_server.request_handler = noted(web_server.request_handler)
        accept = partial(self._accept, web_server, context)
        shared: dict[str, Any] = {"reuse_port": self._shared or None}
        if self._metrics_port:
            inside = partial(accept, inside=True)
            port = self._metrics_port
            server = await bind(inside, self._host, port, setting="METRICS_PORT", **shared)
            self._servers.append(server)
        self._servers.append(await bind(accept, self._host, self._port, **shared))
        url, note = self._url(self._port)
        say(f"page  {url}{note}", events.LISTENING, url=url, pid=os.getpid())
        if self._metrics_port:
            url, note = self._url(self._metrics_port)
            say(f"metrics  {url}{note}", events.LISTENING_INSIDE, url=url)

    def _url(self, port: int) -> tuple[str, str]:
        """Return what to open in a browser, and what else there is to say of it."""
        addresses = [sock.getsockname()[0] for sock in self._servers[-1].sockets]
        return page_url(self._host, addresses, port, "https" if self._tls else "http")

    def close(self) -> None:
        """Take no connection any more; those that are open stay. Idempotent."""
        for server in self._servers:
            server.close()

    def _accept(
        self, web_server: web.Server, context: ssl.SSLContext | None, *, inside: bool = False
    ) -> asyncio.BaseProtocol:
        """Return what takes care of a new connection."""
        handler = CountedHandler(web_server, self._capacity, self._counters, inside=inside)
        if context is None:
            return FirstBytes(self._headers, handler, handler)
        above = CountedTLS(handler, context, self._capacity.request_timeout)
        return FirstBytes(self._headers, handler, above)

    def renew_certificate(self) -> None:
        """Read the certificate again, if there is one; new connections get it."""
        if self._context is None:
            say("there is no certificate to read again", events.NOTHING_TO_REREAD)
            return
        try:
            self._tls.load_into(self._context)
            say("the certificate was read again, for new connections", events.CERTIFICATE_RENEWED)
        except SettingError as error:
            tell(events.CERTIFICATE_USELESS, reason=str(error))

    def _use_all_files(self) -> None:
        before, files = raise_open_files()
        if files > before:
            tell(events.FILES_RAISED, files=files, before=before)
        self._capacity.set_files(files)


class LoopReports:
    """Logs what goes wrong in the event loop; of connections that cannot be taken, one line.

    asyncio tells of each one, thousands of times a second, and tries again after a second.
    """

    def __init__(self) -> None:
        self._throttled = ThrottledLog()

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Take a report, as `set_exception_handler` asks for."""
        message = str(context.get("message"))
        if NO_FILES_MESSAGE in message:
            self._throttled.tell(events.NO_FILES)
        elif RETRY_CALLBACK not in message:
            loop.default_exception_handler(context)


def raise_open_files() -> tuple[int, int]:
    """Let the process open as many files as it may; return how many it could and how many it can.

    Each connection is a file, and many systems begin with 1024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return soft, soft
    most = hard if hard != resource.RLIM_INFINITY else MAX_OPEN_FILES
    # macOS says that there is no bound, and has one of its own.
    for files in (each for each in (most, *FEWER_OPEN_FILES) if soft < each <= most):
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
            return soft, files
    return soft, soft


def page_url(host: str, addresses: Sequence[str], port: int, scheme: str) -> tuple[str, str]:
    """Return what to open in a browser on this machine, and where else the page is, in words.

    `addresses`: those that `host` stands for.
    """
    note = ""
    if not {*EVERYWHERE}.isdisjoint(addresses):
        host = EVERYWHERE[ALL_OF_IPV4 if ALL_OF_IPV4 in addresses else ALL_ADDRESSES]
        note = IN_A_CONTAINER if in_container() else ON_A_MACHINE
    # An address of IPv6 stands in brackets, and its zone behind %25 (RFC 3986, RFC 6874).
    name = f"[{host.replace('%', '%25')}]" if ":" in host else host
    return f"{scheme}://{name}:{port}/", note
