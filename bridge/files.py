"""Files that settings name: read at the start, and again when they have changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

from bridge.telemetry import events
from bridge.telemetry.logs import tell

T = TypeVar("T")


class SettingError(Exception):
    """A setting that cannot be used as it is.

    The text begins with the name of the setting. It holds nothing of the value, nor of the file
    that the setting names, which may be a secret in the wrong place.
    """

    def __init__(self, setting: str, reason: str) -> None:
        super().__init__(f"{setting}: {reason}")
        self.reason = reason


def read(setting: str, path: str, errors: str = "strict") -> str:
    """Return the text of the file at `path`, which `setting` names; `~` is a home directory.

    `errors`: what is done with bytes that are not UTF-8, as for `open`. Raises SettingError.
    """
    path = os.path.expanduser(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            raise SettingError(setting, "it is the path of something else than a file")
        with open(path, encoding="utf-8", errors=errors) as file:
            return file.read()
    except UnicodeDecodeError:
        raise SettingError(setting, "the file it names is not text") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is not a path"
        raise SettingError(setting, f"the file it names cannot be read: {reason}") from None


def openssl_reason(error: OSError) -> str:
    """Return in words why OpenSSL does not take a certificate or a key."""
    reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
    return str(reason).lower().replace("_", " ")


class Reread(Generic[T]):
    """What the file at `path` says. `parse` makes it of the text, or raises ValueError.

    A file that cannot be used any more is logged once, and what was read before stands.
    """

    def __init__(self, setting: str, path: str, parse: Callable[[str], T]) -> None:
        self._setting = setting
        self._path = path
        self._parse = parse
        self._stamp = self._stat()
        self._value = self._read()

    def __call__(self) -> T:
        """Return what the file says now."""
        stamp = self._stat()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._value = self._read()
                tell(events.FILE_READ, setting=self._setting)
            except SettingError as error:
                tell(events.FILE_USELESS, setting=self._setting, reason=str(error))
        return self._value

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            seen = os.stat(os.path.expanduser(self._path))
        except (OSError, ValueError):
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    def _read(self) -> T:
        text = read(self._setting, self._path)
        try:
            return self._parse(text)
        except ValueError as error:
            raise SettingError(self._setting, str(error)) from None
