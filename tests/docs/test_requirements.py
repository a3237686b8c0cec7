"""What may be installed is bounded on both sides, and what is locked lies within."""

from __future__ import annotations

import re

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.test_readme import ROOT

WANTED = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
LOCKED = {
    canonicalize_name(name): version
    for name, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE
    )
}
ANY_VERSION = {"packaging"}
"""Of which nothing is used that has ever changed."""


def test_what_is_locked_lies_within_the_bounds() -> None:
    assert len(WANTED) > 5
    for each in WANTED:
        version = LOCKED[canonicalize_name(each.name)]
        assert version in each.specifier, f"requirements.lock has {each.name} {version}, not {each}"


def test_every_requirement_has_an_upper_bound() -> None:
    for each in WANTED:
        operators = {bound.operator for bound in each.specifier}
        assert operators & {"<", "=="} or each.name in ANY_VERSION, f"{each}: and no later than?"
