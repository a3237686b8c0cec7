"""Asks for the addresses of a host in a thread that the end of the process does not wait for.

The threads of asyncio's executor are waited for, and a DNS server that is out of reach can hold up
a lookup for half a minute: a stop must not take that long.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult


class Resolver(AbstractResolver):
    """Asks the system; addresses of link-local networks with zones are left out."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`. Raises OSError."""
        found = await aside(lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM))
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, _, protocol, _, address in found
            if len(address) == 2 or not address[3]
        ]

    async def close(self) -> None:
        """Do nothing: it holds nothing."""


async def aside(work: Callable[[], Any]) -> Any:
    """Return what `work` returns, or raise what it raises; it goes on if nobody waits any more."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def end(result: Any, failure: Exception | None) -> None:
        if done.cancelled():
            return
        if failure is not None:
            done.set_exception(failure)
        else:
            done.set_result(result)

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except Exception as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(end, result, failure)

    threading.Thread(target=run, name="resolver", daemon=True).start()
    return await done
