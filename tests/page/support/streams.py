"""Streams for the tests of the page."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.support.jetstream import insist, make_stream, plain_client, until_stored
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer


class Streams:
    """Makes streams, and publishes what they store.

    Playwright has an event loop in this thread, so what awaits runs in another one.
    """

    def __init__(self, server: NatsServer) -> None:
        self._server = server
        self._elsewhere = ThreadPoolExecutor(1)

    def make(self, name: str, *subjects: str, **config: Any) -> None:
        async def make() -> None:
            async with plain_client(self._server) as client:
                await make_stream(client, name, list(subjects), **config)

        self._do(make())

    def bucket(self, name: str) -> None:
        """Make what a KV bucket is."""
        self.make(f"KV_{name}", f"$KV.{name}.>", allow_rollup_hdrs=True, max_msgs_per_subject=1)

    def publish(self, subject: str, *payloads: bytes, headers: bytes = b"") -> None:
        with RawNats(self._server.port) as client:
            for payload in payloads or [b""]:
                client.publish(subject, payload, headers=headers)

    def fill(self, stream: str, subject: str, *payloads: bytes) -> None:
        """Publish these as the first messages of a stream, and wait until it has them."""
        self.publish(subject, *payloads)
        self._wait(stream, len(payloads))

    def spread(self, stream: str, *subjects: str) -> None:
        """Publish the first messages of a stream, one on each of these, and do the same."""
        with RawNats(self._server.port) as client:
            commands = (RawNats.command(each.encode(), b'{"id":1}') for each in subjects)
            client.send(b"".join(commands))
        self._wait(stream, len(subjects))

    def _wait(self, stream: str, count: int) -> None:
        async def wait() -> None:
            async with plain_client(self._server) as client:
                await until_stored(client, stream, count)

        self._do(wait())

    def purge(self, name: str) -> None:
        async def purge() -> None:
            async with plain_client(self._server) as client:
                await insist(client, f"STREAM.PURGE.{name}")

        self._do(purge())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self._elsewhere.submit(asyncio.run, work).result()
