"""SECURITY.md names tests that exist, and none of its rows goes without."""

from __future__ import annotations

import re

import pytest

from bridge.settings.derived import Settings
from bridge.telemetry.counters import Counters
from bridge.telemetry.metrics import Metrics
from tests.docs.test_readme import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = re.findall(r"^\| (T\d+) \|.*\| ([^|]*) \|$", TEXT, re.MULTILINE)
LIMITS = TEXT.partition("## Limits\n")[2]
TESTS = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


@pytest.mark.parametrize(("row", "tests"), ROWS, ids=[row for row, _ in ROWS])
def test_each_row_names_tests_that_exist(row: str, tests: str) -> None:
    names = re.findall(r"`(\w+)`", tests)
    assert names
    for name in names:
        assert re.search(rf"^(async )?def {name}\(", TESTS, re.MULTILINE), name


def test_every_threat_has_a_row() -> None:
    assert {int(row[1:]) for row, _ in ROWS} >= set(range(1, 17))


def test_every_limit_has_its_setting_its_figure_and_its_tests() -> None:
    _, _, *rows = [line for line in LIMITS.splitlines() if line.startswith("|")]
    settings: set[str] = set()
    figures = Metrics(Counters(), {}, lambda: "ok", ["ok"]).text().decode().splitlines()
    for row in rows:
        _, setting, _, figure, tests = row.strip("|").split("|")
        settings |= set(re.findall(r"`([A-Z_]+)`", setting))
        (name,) = re.findall(r"`([^`]+)`", figure)
        assert f"{name} 0.0" in figures, row
        names = re.findall(r"`(\w+)`", tests)
        assert names, row
        for name in names:
            assert re.search(rf"^(async )?def {name}\(", TESTS, re.MULTILINE), name
    bound = r"MAX_|\w+_TIMEOUT$|\w+_BURST$|\w+_PER_"
    names = {name.upper() for name in Settings.model_fields}
    assert settings == {name for name in names if re.match(bound, name)}


def test_what_is_installed_is_pinned_with_hashes() -> None:
    lock = re.sub(r"\\\n", " ", (ROOT / "requirements.lock").read_text())
    entries = [line for line in lock.splitlines() if line.strip() and line.strip()[0] != "#"]
    assert len(entries) > 10
    for entry in entries:
        assert re.match(r"[\w.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry), entry
    (aiohttp,) = (
        re.match(r"aiohttp==(\d+)\.(\d+)\.(\d+)", each)
        for each in entries
        if each.startswith("aiohttp==")
    )
    assert aiohttp and tuple(map(int, aiohttp.groups())) >= (3, 14, 4)
