"""What the documentation quotes of the page, the log and the responses stands in the source."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support import readme
from tests.support.readme import ROOT

HEAD = "| you see | why | what to do |"
PYTHON = [ROOT / "main.py", ROOT / "handler.py", *(ROOT / "bridge").rglob("*.py")]
PAGE = [ROOT / "page" / "index.html", *(ROOT / "page" / "js").rglob("*.js"), ROOT / "Makefile"]


def rows(page: str) -> list[str]:
    """Return the first cell of each row under `HEAD`."""
    cells, inside = [], False
    for line in readme.TEXTS[page].splitlines():
        inside = line.startswith("|") and (inside or line == HEAD)
        if inside and line != HEAD and not line.startswith("|---"):
            assert line.count("|") == HEAD.count("|"), line
            cells.append(line.split("|")[1])
    return cells


def quotes(page: str) -> list[str]:
    return [quote for cell in rows(page) for quote in re.findall(r"`([^`]+)`", cell)]


def sentences() -> list[str]:
    """Return every text in the sources, with `…` for what is filled in."""
    found = []
    for path in PYTHON:
        nodes = [*ast.walk(ast.parse(path.read_text()))]
        explained = {id(each.value) for each in nodes if isinstance(each, ast.Expr)}
        for node in nodes:
            if id(node) in explained:
                continue  # a docstring is for whoever reads the source
            if isinstance(node, ast.JoinedStr):
                parts = (
                    each.value if isinstance(each, ast.Constant) else "…" for each in node.values
                )
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"\{\w+(?:![rs])?\}", "…", node.value))
    for path in PAGE:
        found.append(re.sub(r"\$\{[^{}]*\}|%s|%d\.%d", "…", path.read_text()))
    return found


SENTENCES = sentences()


def is_said(quote: str) -> bool:
    return any(quote in each for each in SENTENCES)


PLACES = ("README.md", "docs/troubleshooting.md")


@pytest.mark.parametrize("page", PLACES)
def test_each_quoted_sentence_stands_in_the_source(page: str) -> None:
    assert quotes(page)
    assert [quote for quote in quotes(page) if not is_said(quote)] == []


@pytest.mark.parametrize(
    ("quote", "said"),
    [
        ("NATS at … is lost, trying to get it back", True),
        ("NATS at … is lost and gone for ever", False),
        ("The life of every WebSocket connection, and the page.", False),
    ],
)
def test_what_is_logged_is_told_from_what_is_not(quote: str, said: bool) -> None:
    assert is_said(quote) is said


def test_the_readme_has_the_six_most_frequent() -> None:
    assert len(rows("README.md")) == 6
    assert len(rows("docs/troubleshooting.md")) > 40
