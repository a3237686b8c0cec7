"""`.env` in the folder the service is started in, as people write it and as Compose reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

ENV_FILE = Path(".env")


def read(path: Path = ENV_FILE) -> dict[str, str]:
    """Return what stands in `path`, or nothing where there is no such file.

    A `$` is a `$`: it may be in a password, and `$KV.>` is a pattern. Windows begins a file with a
    byte order mark. Docker makes a folder where a file to be mounted is missing. Raises OSError,
    and UnicodeError if it is not UTF-8.
    """
    if not (path.is_file() or path.is_fifo()):
        return {}
    values = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    return {name: value for name, value in values.items() if value is not None}


class DotEnv(PydanticBaseSettingsSource):
    """Settings from `.env`, in upper or lower case."""

    def __init__(self, settings: type[BaseSettings]) -> None:
        super().__init__(settings)
        self._values = {name.lower(): value for name, value in read().items()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value, or None."""
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values by the names of their settings."""
        fields = self.settings_cls.model_fields
        return {name: value for name, value in self._values.items() if name in fields}
