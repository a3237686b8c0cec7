"""A TCP proxy that makes a server seem far away."""

from __future__ import annotations

import asyncio
import contextlib
import socket

from bench.heart.process import Worker


class Distance(Worker):
    """Passes on what comes to `listener` to the server on `port`, `delay` seconds later.

    And back as much later. It delays each piece by itself: many may be under way.
    """

    def __init__(self, listener: socket.socket, port: int, delay: float) -> None:
        self._listener, self._port, self._delay = listener, port, delay

    def wait(self) -> None:
        """Pass on until there is a call: for as long as the process is there."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        called = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.pipe.fileno(), called.set)
        server = await asyncio.start_server(self._take, sock=self._listener)
        await called.wait()
        server.close()

    async def _take(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):  # nobody there; reset; the end
            far, on = await asyncio.open_connection("127.0.0.1", self._port)
            await asyncio.gather(self._pass(near, on), self._pass(far, back))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        later = asyncio.get_running_loop().call_later
        while data := await reader.read(65536):
            later(self._delay, writer.write, data)
        later(self._delay, writer.close)
