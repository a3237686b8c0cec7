"""The TLS between a TCP connection and aiohttp's side of it."""

from __future__ import annotations

import asyncio
import ssl
from asyncio.sslproto import SSLProtocol

from bridge.web.tcp import CountedHandler

TLS_SHUTDOWN_SECONDS = 3.0
"""To write what is left and hear the end of TLS from the other side."""


class CountedTLS(SSLProtocol):
    """The TLS of one connection, which counts the handler above it in from the first moment on.

    With the `ssl` of `create_server`, asyncio tells of a connection when its handshake is done, so
    that nobody would count those who never begin theirs. Below that, it is the same class.
    """

    max_size = 16384
    """Bytes read at a time, a TLS record: asyncio holds so many for each connection from the start,
    by default 256 KiB."""

    def __init__(
        self, handler: CountedHandler, context: ssl.SSLContext, handshake_timeout: float
    ) -> None:
        super().__init__(
            asyncio.get_running_loop(),
            handler,
            context,
            None,  # type: ignore[arg-type]  # nobody waits for the handshake
            server_side=True,
            ssl_handshake_timeout=handshake_timeout,  # type: ignore[arg-type]  # a float will do
            ssl_shutdown_timeout=TLS_SHUTDOWN_SECONDS,
        )
        self._handler = handler

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in, and begin the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._handler.count_in(transport)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Count it out, however far it came."""
        self._handler.count_out()
        super().connection_lost(exc)
