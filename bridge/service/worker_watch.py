"""Finds workers that hang: one publishes its figures each second, or something has stopped it."""

from __future__ import annotations

import os
from collections.abc import Sequence

CHECK_SECONDS = 5.0
MAX_SILENT_CHECKS = 6
"""Checks in a row without new figures. Not a time: the machine, or the parent, may have slept."""


class WorkerWatch:
    """Looks at the files in which workers publish their figures, in their order from 1."""

    def __init__(self, files: Sequence[int]) -> None:
        self._files = files
        self._seen = [0] * len(files)
        self._silent = [0] * len(files)

    def hanging(self) -> list[int]:
        """Look at all; return the numbers of those that have been silent for too long."""
        found = []
        for index, file in enumerate(self._files):
            status = os.fstat(file)
            # One that has just been started has published nothing.
            is_silent = status.st_size and status.st_mtime_ns == self._seen[index]
            self._silent[index] = self._silent[index] + 1 if is_silent else 0
            self._seen[index] = status.st_mtime_ns
            if self._silent[index] >= MAX_SILENT_CHECKS:
                self._silent[index] = 0
                found.append(index + 1)
        return found
