"""Panini's `@app.task(interval=...)`, for tasks that may fail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bridge.telemetry import events
from bridge.telemetry.logs import tell


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
                    tell(events.TASK_FAILED, task=name, reason=str(error) or repr(error))
                failed = True
            await asyncio.sleep(max(0, due - loop.time()))

    return run
