"""The documentation is plain modern English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.test_links import PAGES, without_code
from tests.support.readme import ROOT

TRANSLATED = (
    "be it that",
    "such as it is",
    "who does not",
    "twice is harmless",
    "of no use",
    "also if",
    "nor",
    "be it later",
    "lest",
    "anew",
    "for want of",
)
"""Syntax of other languages; CONTRIBUTING.md asks for the standard word."""
FROM_THE_CODE = {"docs/settings.md", "docs/logs.md", "docs/metrics.md"}
"""Pages with tables that other tests compare with the code: the words are the code's."""


def prose(page: Path) -> str:
    """Return the text of a page without code and without rows that the code dictates, in a line."""
    text = page.read_text()
    if str(page.relative_to(ROOT)) in FROM_THE_CODE:
        text = re.sub(r"^\| `.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\s+", " ", without_code(text)).lower()


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_no_translated_syntax(page: Path) -> None:
    text = prose(page)
    assert [each for each in TRANSLATED if re.search(rf"\b{each}\b", text)] == []
