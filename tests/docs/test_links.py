"""Every link of the documentation, and every link to it, leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.readme import ROOT

PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").glob("*.md")}
)
OTHERS = sorted(
    path
    for path in (
        *(ROOT / each for each in ("main.py", "handler.py", "Makefile", "Dockerfile")),
        ROOT / "docker-compose.yml",
        *(ROOT / "bridge").rglob("*.py"),
        *(ROOT / "page").rglob("*.*"),
        *(ROOT / "deploy").iterdir(),
    )
    if path.suffix in {"", ".py", ".js", ".html", ".css", ".yml", ".yaml", ".json", ".cfg"}
)
"""What may send a reader to the documentation: log lines, the page, what is deployed."""


def without_code(text: str) -> str:
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives to a heading."""
    shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: of headings that are alike, all but the first are numbered."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?)\s*#*$", text, re.MULTILINE):
        base = name = slug(heading)
        while name in found:
            found[base] += 1
            name = f"{base}-{found[base]}"
        found[name] = 0
    return set(found) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def links(page: Path) -> list[str]:
    """Return the targets of a page that are no addresses of the web."""
    text = without_code(page.read_text())
    found = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    return [target for target in found if not re.match(r"[a-z]+:", target)]


def fault(target: str, near: Path) -> str:
    """Say what `target`, seen from the file `near`, lacks; nothing if it is there."""
    name, _, anchor = target.partition("#")
    page = near.parent / name if name else near
    if not page.exists():
        return f"{target}: there is no such file"
    if anchor and anchor not in anchors(page):
        return f"{target}: there is no such heading"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_has_a_target(page: Path) -> None:
    assert [found for target in links(page) if (found := fault(target, page))] == []


def test_every_page_is_in_the_index_of_the_readme() -> None:
    linked = set(links(ROOT / "README.md"))
    pages = {str(each.relative_to(ROOT)) for each in PAGES if ROOT / ".github" not in each.parents}
    assert pages - {"README.md"} <= {target.partition("#")[0] for target in linked}


@pytest.mark.parametrize("path", OTHERS, ids=[str(path.relative_to(ROOT)) for path in OTHERS])
def test_what_sends_readers_to_the_documentation_finds_it(path: Path) -> None:
    root = ROOT / "README.md"
    named = re.findall(r"(?<![\w./-])((?:[\w-]+/)*[\w-]+\.md(?:#[\w-]+)?)", path.read_text())
    assert [found for target in named if (found := fault(target, root))] == []


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# https and `wss`\n## A, b & c\n```\n# none\n```\n## A, b & c\n## [x](y.md)?\n"
    )
    assert anchors(page) == {"https-and-wss", "a-b--c", "a-b--c-1", "x"}


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](#here) [b](#gone) [c](other.md) [d](https://example.com) `[e](f)`\n"
    )
    assert links(page) == ["#here", "#gone", "other.md"]
    assert [bool(fault(each, page)) for each in links(page)] == [False, True, True]
