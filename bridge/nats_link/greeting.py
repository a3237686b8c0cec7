"""A connection to a NATS server up to the first line that the server says.

nats-py chooses a server by TCP alone, then waits for its INFO. Here a server is chosen once it has
greeted, so one that accepts connections and is silent holds up nobody; and what greets instead of
a NATS server is told by name. The overrides hold for nats-py 2.6.0 to 2.16.0.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import ParseResult

from nats import errors
from nats.aio.client import DEFAULT_BUFFER_SIZE
from nats.aio.transport import TcpTransport

from bridge.wire.responses import shorten

SILENCE_SECONDS = 1.0
"""After so much silence a server with which TLS is wanted is taken to wait for it."""
PROBE_SECONDS = 0.5
"""For a silent server to answer a line that it may not understand."""

NO_ANSWER = "nobody answers there, is a firewall in the way?"
SILENT = "it takes connections and says nothing, does it hang, or is it no NATS server?"
WEB_SERVER = "a web server answers there, clients of NATS have another port (4222)"
SOMETHING_ELSE = "what answers there is no NATS server"
WANTS_TLS = "it is silent, and hangs up on plain text: if it wants TLS first, write tls://"
HANGS_UP = "it takes the connection and ends it without a word"
NO_TLS = "it was silent, and does not answer with TLS"


class NoTlsError(errors.Error):
    """What seemed to wait for TLS did not: it may just be slow to greet."""


class GreetingTransport(TcpTransport):
    """Holds the INFO of the server until nats-py reads it; `patience`: seconds for each step."""

    def __init__(self, patience: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._patience = patience
        self._info = b""
        self.had_tls_first = False
        """Whether TLS came before INFO."""
        self._unsent = b""

    async def open(self, uri: ParseResult) -> None:
        """Connect. Raises nats.errors.Error, OSError."""
        try:
            await self.connect(uri, DEFAULT_BUFFER_SIZE, self._patience)
        except TimeoutError:
            raise errors.Error(NO_ANSWER) from None

    async def greet(
        self, name: str, tls: Callable[[], ssl.SSLContext] | None, silence: float
    ) -> None:
        """Wait for INFO; if there is none after `silence` seconds, make TLS first, where wanted.

        `name` is what the certificate has to be for; `tls` is what TLS is made with, None if it is
        not wanted. There is no way back from TLS to plain text. Raises nats.errors.Error, OSError.
        """
        try:
            async with asyncio.timeout(silence if tls else self._patience):
                line = await self._next_line()
        except TimeoutError:
            if tls is None:
                raise errors.Error(await self._silent_one(WANTS_TLS)) from None
            line = await self._after_tls(name, tls())
        except ValueError:  # more than fits, and no end of a line
            line = b"?"
        if not line.startswith(b"INFO "):
            raise errors.Error(_what_says(line))
        self._info = line

    async def _next_line(self) -> bytes:
        line: bytes = await super().readline()  # type: ignore[no-untyped-call]
        return line

    async def _after_tls(self, name: str, context: ssl.SSLContext) -> bytes:
        try:
            await super().connect_tls(name, context, DEFAULT_BUFFER_SIZE, self._patience)
        except ssl.SSLCertVerificationError:
            raise
        except TimeoutError:
            raise errors.Error(SILENT) from None
        except (ssl.SSLError, ConnectionError):
            raise NoTlsError(NO_TLS) from None
        self.had_tls_first = True
        try:
            async with asyncio.timeout(self._patience):
                return await self._next_line()
        except TimeoutError:
            raise errors.Error(await self._silent_one(SILENT)) from None

    async def _silent_one(self, hangs_up: str) -> str:
        """Return what a silent server seems to be; `hangs_up`: if it ends the connection now."""
        self.write(b"PING / HTTP/1.0\r\n\r\n")
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                said = await self.read(DEFAULT_BUFFER_SIZE)
        except TimeoutError:
            return SILENT
        except OSError:
            said = b""
        if not said or said[0] == TLS_ALERT:
            return hangs_up
        return WEB_SERVER if said.startswith(b"HTTP/") else SOMETHING_ELSE

    async def readline(self) -> bytes:
        """Return the INFO once, then what comes after it."""
        info, self._info = self._info, b""
        return info or await self._next_line()

    async def connect_tls(
        self, uri: str | ParseResult, ssl_context: ssl.SSLContext, *rest: Any
    ) -> None:
        """Make TLS, unless that came before INFO."""
        if not self.had_tls_first:
            await super().connect_tls(uri, ssl_context, *rest)

    def write(self, payload: bytes) -> None:
        """Write, but CONNECT together with the PING after it.

        A server that refuses CONNECT ends the connection. If a PING came then, the network would
        report a reset, and what the server said before would be lost.
        """
        if payload.startswith(b"CONNECT "):
            self._unsent = payload
            return
        payload, self._unsent = self._unsent + payload, b""
        super().write(payload)  # type: ignore[no-untyped-call]

    def abort(self) -> None:
        """End the connection at once."""
        if self._io_writer is not None:
            self._io_writer.transport.abort()


TLS_ALERT = 0x15
"""The first byte of a TLS record that says what is wrong (RFC 8446, section 5.1)."""


def _what_says(line: bytes) -> str:
    """Return what seems to be there, by what it says instead of INFO."""
    if line.startswith(b"-ERR "):
        return f"nats: {shorten(line[5:].decode(errors='replace').strip())}"
    if line.startswith(b"HTTP/"):
        return WEB_SERVER
    return SOMETHING_ELSE if line else HANGS_UP
