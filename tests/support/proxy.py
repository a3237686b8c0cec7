"""A TCP proxy that does to connections what networks do."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import threading
from asyncio import StreamReader, StreamWriter
from itertools import chain
from socket import SO_LINGER, SOL_SOCKET
from struct import pack

from tests.support.servers import PATIENCE, free_port


class Proxy:
    """Passes TCP connections on to `target_port`, in a thread of its own.

    With `prefix` it serves what is there under that path, as a reverse proxy would; with `tls` it
    makes TLS with those who connect.
    """

    def __init__(
        self, target_port: int, prefix: bytes = b"", tls: ssl.SSLContext | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"nats://127.0.0.1:{self.port}"
        self.delay = 0.0  # seconds that each piece takes, in both directions
        self.hesitation = 0.0  # seconds until a new connection leads anywhere
        self._target_port = target_port
        self._prefix = prefix
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._passes, self._over, self._ready = asyncio.Event(), asyncio.Event(), threading.Event()
        self._ends: list[tuple[StreamWriter, StreamWriter]] = []
        self._silent: set[StreamWriter] = set()  # ends that are told nothing more
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._run()])

    def start(self) -> None:
        self._thread.start()
        self._ready.wait(PATIENCE)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self._loop.close()

    def black_hole(self) -> None:
        """Keep every connection, take new ones, and pass nothing until `heal`."""
        self._loop.call_soon_threadsafe(self._passes.clear)

    def heal(self) -> None:
        self._loop.call_soon_threadsafe(self._passes.set)

    def reset(self) -> None:
        """Reset every connection there is; new ones work."""
        self._loop.call_soon_threadsafe(self._reset)

    def half_open(self) -> None:
        """End every connection towards the server, and tell the client nothing; new ones work."""
        self._loop.call_soon_threadsafe(self._half_open)

    async def _run(self) -> None:
        self._passes.set()
        server = await asyncio.start_server(self._take, "127.0.0.1", self.port, ssl=self._tls)
        self._ready.set()
        await self._over.wait()
        server.close()
        self._reset()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader: StreamReader, writer: StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):  # nobody there; reset; the end
            await self._passes.wait()
            await asyncio.sleep(self.hesitation)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
            self._ends.append((writer, far_writer))
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        self._end(writer)

    async def _pump(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await asyncio.sleep(self.delay)
                await self._passes.wait()
                writer.write(self._without_prefix(data))
        finally:
            self._end(writer)

    def _without_prefix(self, data: bytes) -> bytes:
        """Return `data` as a proxy passes it on; what follows /nats and /nats/ is the same."""
        if not self._prefix:
            return data
        return re.sub(rb"(?<=GET )%b(?:/|(?=[ ?]))" % re.escape(self._prefix), b"/", data)

    def _end(self, writer: StreamWriter) -> None:
        if writer not in self._silent:
            writer.close()

    def _reset(self) -> None:
        for end in chain(*self._ends):
            if not end.is_closing():
                # Closed with this, a socket sends RST.
                end.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
                end.transport.abort()
        self._ends.clear()

    def _half_open(self) -> None:
        for end, server_end in self._ends:
            self._silent.add(end)
            server_end.transport.abort()
