"""Publishes to a stream while a test goes on."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

from nats.aio.client import Client

SUBJECTS = ["s.1.x", "s.2.y", "s.2.x", "s.3.x", "s.3.z"]


@contextlib.asynccontextmanager
async def publishing(client: Client, rate: int, payload: bytes = b"") -> AsyncIterator[None]:
    """Publish payloads that repeat, some subject now and then."""
    over = asyncio.Event()

    async def publish() -> None:
        loop, sent = asyncio.get_running_loop(), 0
        begin = loop.time()
        while not over.is_set():
            while sent < (loop.time() - begin) * rate:
                subject = random.choice(SUBJECTS) if sent % 97 else "s.rare"
                await client.publish(subject, payload + b"%d" % (sent % 7))
                sent += 1
            await client.flush()
            await asyncio.sleep(0.001)

    task = asyncio.create_task(publish())
    yield
    over.set()
    await task
