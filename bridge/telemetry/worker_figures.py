"""The figures of all workers of a machine: each publishes its own in shared memory.

Whichever worker is asked can tell those of all, also while NATS is away.
"""

from __future__ import annotations

import asyncio
import math
import os
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence

from bridge.telemetry import events
from bridge.telemetry.logs import tell

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""What `WorkerFigures.text` is."""
PUBLISH_SECONDS = 1.0
"""Between two times that figures are published; what is told of all is no older."""
MAX_SHARE = 0.05
"""Of the time that a process alone spends on figures, however many ask: they take milliseconds."""
CREDIT_SECONDS = 1.0
"""The time of which that share may be spent at once."""
READ_TRIES = 3

_HEAD = struct.Struct("<II")
"""Length and CRC-32 of the text: a reader can come while it is being written."""


def new_file() -> int:
    """Return the descriptor of a file for the figures of one worker, in memory if possible."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("figures")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class WorkerFigures:
    """The files of all workers, in their order; none where a process is alone.

    `number`, from 1, is the place of ours. `text` returns our figures in Prometheus' text format.
    """

    def __init__(self, files: Sequence[int], number: int, text: Callable[[], bytes]) -> None:
        self._files = files
        self._number = number
        self._text = text
        self._merged, self._merged_at = b"", -math.inf
        self._own, self._due = b"", -math.inf

    async def keep_up(self) -> None:
        """Publish our figures, again and again."""
        failed = False
        while self._files:
            try:
                text = self._text()
                head = _HEAD.pack(len(text), zlib.crc32(text))
                os.pwrite(self._files[self._number - 1], head + text, 0)
            except Exception as failure:
                # A worker that publishes nothing more would be taken for one that hangs.
                os.utime(self._files[self._number - 1])
                if not failed:
                    tell(events.BACKGROUND_FAILED, failure)
                failed = True
            await asyncio.sleep(PUBLISH_SECONDS)

    def text(self) -> bytes:
        """Return the figures of all, each with the label `worker`, at most a second old.

        Not made for each that asks, since anybody may and it takes milliseconds.
        """
        now = time.monotonic()
        if not self._files:
            if now >= self._due:
                begun = time.thread_time()  # on a busy machine it takes longer, and costs the same
                self._own = self._text()
                took = time.thread_time() - begun
                self._due = max(self._due, now - CREDIT_SECONDS) + took / MAX_SHARE
            return self._own
        if now - self._merged_at > PUBLISH_SECONDS:
            self._merged, self._merged_at = self._merge(), now
        return self._merged

    def _merge(self) -> bytes:
        from bridge.telemetry.merging import merged  # as in `Figures`

        texts = {n + 1: _read(file) for n, file in enumerate(self._files)}
        return merged(texts | {self._number: self._text()})


def _read(file: int) -> bytes:
    for _ in range(READ_TRIES):
        data = os.pread(file, os.fstat(file).st_size, 0)
        if len(data) < _HEAD.size:
            break  # it has not begun, or has died
        size, check = _HEAD.unpack_from(data)
        text = data[_HEAD.size :][:size]
        if zlib.crc32(text) == check:
            return text
    return b""
