"""Files that settings name: read at the start, and again when they have changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

from bridge.telemetry import events
from bridge.telemetry.logs import tell

T = TypeVar("T")


class FileFault(Exception):
    """A file that is of no use. The text begins with the setting and holds nothing of the file."""


class Reread(Generic[T]):
    """What the file at `path` says. `parse` makes it of the text, or raises ValueError.

    A file that becomes useless later is logged once, and what was read before stands.
    """

    def __init__(self, setting: str, path: str, parse: Callable[[str], T]) -> None:
        self._setting = setting
        self._path = os.path.expanduser(path)
        self._parse = parse
        self._stamp = self._look()
        self._value = self._read()

    def __call__(self) -> T:
        """Return what the file says now."""
        stamp = self._look()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._value = self._read()
                tell(events.FILE_READ, setting=self._setting)
            except FileFault as fault:
                tell(events.FILE_USELESS, setting=self._setting, reason=str(fault))
        return self._value

    def _look(self) -> tuple[int, int, int] | None:
        try:
            seen = os.stat(self._path)
        except (OSError, ValueError):
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    def _read(self) -> T:
        try:
            if os.path.exists(self._path) and not os.path.isfile(self._path):
                raise FileFault(f"{self._setting}: it is the path of something else than a file")
            with open(self._path, encoding="utf-8") as file:
                text = file.read()
        except UnicodeDecodeError:
            raise FileFault(f"{self._setting}: the file it names is not text") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "that is not a path"
            raise FileFault(
                f"{self._setting}: the file it names cannot be read: {reason}"
            ) from None
        try:
            return self._parse(text)
        except ValueError as error:
            raise FileFault(f"{self._setting}: {error}") from None
