"""Panini's `@app.task(interval=...)`, for tasks that may fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger("bridge.interval")


def every(
    interval: float, task: Callable[[], Awaitable[None]]
) -> Callable[[], Coroutine[Any, Any, None]]:
    """Run `task` each `interval` seconds, even after it failed; Panini's would end silently."""
    name = getattr(task, "__name__", repr(task))

    async def run() -> None:
        loop = asyncio.get_running_loop()
        failed = False
        while True:
            due = loop.time() + interval
            try:
                await task()
                failed = False
            except Exception as error:
                if not failed:
                    logger.warning("%s fails: %s", name, str(error) or repr(error))
                failed = True
            await asyncio.sleep(max(0, due - loop.time()))

    return run
