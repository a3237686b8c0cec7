"""The README and the pages of `docs/` say what is true."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bench import report
from bench.heart.rows import ROWS
from bridge import __version__
from bridge.settings.derived import Settings
from bridge.settings.flags import shown_default
from tests.support import readme

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
TEXTS = sorted({*ROOT.glob("*.md"), *readme.FILES})
MOST_LINES = 250
"""Of the README: whoever comes for the first time reads all of it."""


def settings_table() -> str:
    """Return the table of settings as docs/settings.md has to show it."""
    rows = ["| setting | default | what |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{name.upper()}` | `{shown_default(field)}` | {field.description} |")
    return "\n".join(rows)


def test_settings_table_is_the_settings() -> None:
    page = readme.TEXTS["docs/settings.md"]
    assert settings_table() in page, f"the table should read:\n\n{settings_table()}\n"


def test_settings_of_the_readme_are_rows_of_the_table() -> None:
    rows = re.findall(r"^\| `[A-Z_]+` \|.*$", README, re.MULTILINE)
    assert len(rows) == 10
    assert set(rows) <= set(settings_table().splitlines())


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) < MOST_LINES, "more belongs on a page of docs/"


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", readme.TEXT, re.MULTILINE))
    assert named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_what_is_promised_when_things_go_wrong_is_shown_by_tests_that_exist() -> None:
    page = readme.TEXTS["docs/promises.md"]
    section = re.split(r"\n##+ ", page.partition("## When things go wrong\n")[2])[0]
    _, _, *rows = [line for line in section.splitlines() if line.startswith("|")]
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = set(re.findall(r"^(?:async )?def (test_\w+)", "\n".join(sources), re.MULTILINE))
    assert len(rows) > 20
    for row in rows:
        cells = row.strip("|").split("|")
        assert len(cells) == 6, row
        named = re.findall(r"`(test_\w+)`", cells[-1])
        assert named, row
        assert set(named) <= there, f"no such test: {set(named) - there}"


def test_what_is_promised_of_history_is_shown_by_tests_that_exist() -> None:
    page = readme.TEXTS["docs/promises.md"]
    section = page.partition("\n## With history\n")[2].partition("\n## ")[0]
    _, _, *rows = [line for line in section.splitlines() if line.startswith("|")]
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = set(re.findall(r"^(?:async )?def (test_\w+)", "\n".join(sources), re.MULTILINE))
    assert len(rows) > 5
    for row in rows:
        named = set(re.findall(r"`(test_\w+)`", row))
        assert named, row
        assert named <= there, f"no such test: {named - there}"


def test_speed_table_is_what_was_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results" / "results.json").read_text())
    table = report.main_table(measured["summary"])
    for page in ("README.md", "docs/performance.md"):
        assert table in readme.TEXTS[page], f"{page}: the table should read:\n\n{table}\n"


def test_the_rows_of_the_bench_are_those_of_its_page() -> None:
    rows = ["| row | what | goal |", "|---|---|---|"]
    rows += [f"| `{row.name}` | {row.what} | {'; '.join(map(str, row.goals))} |" for row in ROWS]
    table = "\n".join(rows)
    page = readme.TEXTS["docs/performance.md"]
    assert table in page, f"the table should read:\n\n{table}\n"


def test_json_lines_of_the_wire_are_json() -> None:
    lines = [line for line in readme.TEXT.splitlines() if line.startswith(("{", "[{"))]
    assert len(lines) > 10
    for line in lines:
        json.loads(line)


def test_version_is_in_the_changelog() -> None:
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("path", TEXTS, ids=[path.name for path in TEXTS])
def test_texts_use_one_word_for_a_thing(path: Path) -> None:
    text = re.sub(r"`[^`]*`", "", path.read_text()).lower()
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for word in ("topic", "backlog", "packet"):
        assert word not in text, f"{word}: see the glossary"
