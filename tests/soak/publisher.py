"""Publishes numbered messages, and knows which of them the server has taken."""

from __future__ import annotations

import asyncio
import contextlib
import time
from asyncio import StreamReader, StreamWriter
from collections import deque

from tests.soak.checker import Numbers
from tests.support.raw_nats import RawNats

TRY_AGAIN = 0.05
A_WHILE = 0.02


class Publisher:
    """Publishes on one subject each `every` seconds, whatever befalls the server."""

    def __init__(self, subject: str, port: int, every: float) -> None:
        self.subject = subject
        self.numbers = Numbers()
        self.paused = False
        self._port = port
        self._every = every
        self._writer: StreamWriter | None = None
        self._asked: deque[int] = deque()
        """For each PING under way, the number below which its PONG confirms all."""

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    await self._publish_over(reader, writer)
                finally:
                    self._writer = None
                    self._asked.clear()
                    self.numbers.lose()
                    writer.close()
            await asyncio.sleep(TRY_AGAIN)

    async def burst(self, count: int, size: int, seconds: float) -> None:
        """Publish `count` messages of `size` bytes, evenly over `seconds`, by the clock."""
        begun, sent = time.monotonic(), 0
        while sent < count:
            due = min(count, int((time.monotonic() - begun) / seconds * count) + 1)
            for _ in range(sent, due):
                self._publish(size)
            sent = due
            await asyncio.sleep(A_WHILE)

    async def _publish_over(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Publish over one connection until it ends."""
        writer.write(b'CONNECT {"verbose":false,"pedantic":false}\r\n')
        self._writer = writer
        ticking = asyncio.create_task(self._tick())
        try:
            while line := await reader.readline():
                if line == b"PONG\r\n":
                    self.numbers.confirm(self._asked.popleft())
                elif line == b"PING\r\n":
                    writer.write(b"PONG\r\n")
        finally:
            ticking.cancel()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self._publish(0)
            due = max(due + self._every, loop.time() - 1)
            await asyncio.sleep(due - loop.time())

    def _publish(self, size: int) -> None:
        """Publish one message, padded by `size` bytes; none while paused or not connected."""
        if self._writer is None or self.paused:
            return
        number = self.numbers.take()
        payload = b'{"n":%d,"pad":"%b"}' % (number, b"x" * size)
        self._writer.write(RawNats.command(self.subject.encode(), payload) + b"PING\r\n")
        self._asked.append(number + 1)
