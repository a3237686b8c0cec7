"""Opening the port, or saying why it cannot be had."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any

from bridge.telemetry.logs import fail

BACKLOG = 2048
"""Connections that the system may hold until they are taken."""


async def bind(
    factory: Callable[[], asyncio.BaseProtocol], host: str, port: int, **options: Any
) -> asyncio.Server:
    """Return a server on `host` and `port`, as `create_server`. Exits with 2 if it cannot be."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(factory, host, port, backlog=BACKLOG, **options)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            fail(f"HTTP_PORT: {port} is in use on {host}; set another one")
        reason = getattr(error, "strerror", None) or error
        fail(f"HTTP_HOST: cannot listen on {host}:{port}: {reason}")
