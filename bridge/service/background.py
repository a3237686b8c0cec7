"""What runs beside the service from its start to its stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bridge.telemetry import events
from bridge.telemetry.logs import tell


class BackgroundTasks:
    """Tasks that are held until the stop; one that fails is logged, and the others go on."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin in the running event loop."""
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_log_failure)
        self._tasks.append(task)

    def cancel(self) -> None:
        """End all. Idempotent."""
        for task in self._tasks:
            task.cancel()


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and task.exception() is not None:
        tell(events.BACKGROUND_FAILED, task.exception())
