"""The map of the house shows the house."""

from __future__ import annotations

import re

import pytest

from tests.support.servers import ROOT
from tests.unit.test_imports import ARROWS, sources

TEXT = (ROOT / "docs" / "architecture.md").read_text()


def section(heading: str) -> str:
    """Return what stands under a heading, up to the next of its kind."""
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_arrows_are_those_that_the_imports_are_held_to() -> None:
    shown = {
        name.strip("`"): tuple(re.findall(r"`(\w+)`", below))
        for _, name, _, below in rows("The packages")
    }
    alone = {"healthcheck", "handler", "main"}
    assert shown == {name: below for name, below in ARROWS.items() if name not in alone}


def test_floors_rise_with_every_arrow() -> None:
    floors = {name.strip("`"): int(floor) for floor, name, *_ in rows("The packages")}
    for _, name, _, below in rows("The packages"):
        for each in re.findall(r"`(\w+)`", below):
            assert floors[each] < floors[name.strip("`")], f"{name} imports {each}"


def named_files() -> set[str]:
    """Return every source file in the table; the first of a row gives the folder of the rest."""
    found = set()
    for cell, _ in rows("The files"):
        folder = ""
        for name in re.findall(r"`([\w./]+\.py)`", cell):
            folder = name.rpartition("/")[0] or folder
            name = name.rpartition("/")[2]
            path = f"{folder}/{name}" if folder else name
            found.add(path if path in ("main.py", "handler.py") else f"bridge/{path}")
    return {each.replace("bridge/bridge/", "bridge/") for each in found}


def test_every_file_is_in_the_table_and_there() -> None:
    there = {str(path.relative_to(ROOT)) for path in sources() if path.name != "__init__.py"}
    assert named_files() == there


@pytest.mark.parametrize("change", rows("Where does a change go?"), ids=lambda row: row[0])
def test_a_change_goes_where_something_is(change: list[str]) -> None:
    named = re.findall(r"`([\w./-]+)`", change[1])
    assert named
    for path in named:
        assert (ROOT / path).is_file(), path
