"""A folder with a file for each secret, as Docker and Kubernetes mount it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

HOLD_A_PATH = (
    "nats_creds",
    "nats_nkey_seed",
    "nats_tls_ca",
    "nats_tls_cert",
    "nats_tls_key",
    "tokens_file",
    "auth_groups_file",
    "jwt_key",
    "tls_cert",
    "tls_key",
)


class SecretFiles(PydanticBaseSettingsSource):
    """Settings from the files that are named as they are, in upper or lower case.

    What stands in the file is the value. Settings that hold a path are given that of the file: it
    is the creds file, or the key, and if it is replaced the new one is read.
    """

    def __init__(self, settings: type[BaseSettings], folder: Path) -> None:
        super().__init__(settings)
        self._files = {}
        if folder.is_dir():
            self._files = {path.name.lower(): path for path in folder.iterdir() if path.is_file()}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value, or None; raises OSError if the file cannot be read."""
        path = self._files.get(field_name)
        if path is None:
            return None, field_name, False
        holds_a_path = field_name in HOLD_A_PATH
        value = str(path) if holds_a_path else path.read_text(errors="replace").strip()
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the values by the names of their settings."""
        fields = self.settings_cls.model_fields.items()
        values = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in values.items() if value is not None}
