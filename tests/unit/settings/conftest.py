"""Nothing is set but what a test of settings sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.settings import table
from bridge.settings.derived import Settings


@pytest.fixture(autouse=True)
def nothing_else_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and none of our settings in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(table, "SECRETS", tmp_path / "secrets")
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
