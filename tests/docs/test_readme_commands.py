"""Nothing in the documentation is untried; each command has a line in tests/support/readme.py."""

from __future__ import annotations

import re

import pytest

from tests.support import readme

SOURCES = [path.read_text() for path in (readme.ROOT / "tests").rglob("test_*.py")]
TESTS = set(re.findall(r"^(?:async )?def (test_\w+)", "\n".join(SOURCES), re.MULTILINE))


@pytest.mark.parametrize("command", readme.commands())
def test_each_command_is_run_by_a_test(command: str) -> None:
    assert command in readme.COMMANDS, (
        f"{command!r} is in the documentation and run by no test: write one "
        "(tests/service/life/test_readme.py has most) and name it in COMMANDS of "
        "tests/support/readme.py"
    )


def test_each_script_is_run_by_a_test() -> None:
    known = {"sh", "json", *readme.SCRIPTS, *readme.RECIPES, *readme.NOT_CODE}
    for block in readme.blocks():
        assert block.kind in known, (
            f"a block of {block.kind!r} in {block.page} is run by no test: write one and "
            "name it in SCRIPTS of tests/support/readme.py"
        )
    for kind in readme.SCRIPTS:
        assert readme.block(kind)


def test_each_json_example_belongs_to_a_test() -> None:
    pages = {each.page for each in readme.blocks() if each.kind == "json"}
    pages |= {name for name, span in readme.spans() if span.startswith('{"')}
    assert pages == set(readme.EXAMPLES), (
        "a page with JSON needs a test that sends or gets each line: see Conversation and "
        "EXAMPLES in tests/support/readme.py"
    )


def test_what_only_repeats_an_example_stands_on_a_page_that_is_tried() -> None:
    repeating = {page for page, test in readme.EXAMPLES.items() if test == readme.REPEATED}
    tried = {line for page in set(readme.EXAMPLES) - repeating for line in readme.examples(page)}
    for page in repeating:
        assert set(readme.examples(page)) <= tried, page


def test_the_tables_name_what_is_there() -> None:
    named = {test for test, _ in readme.COMMANDS.values()}
    named |= {*readme.SCRIPTS.values(), *readme.RECIPES.values(), *readme.EXAMPLES.values()}
    assert named <= TESTS, f"no such test: {named - TESTS}"
    gone = set(readme.COMMANDS) - set(readme.commands())
    assert not gone, (
        f"no longer in the documentation, take it out of tests/support/readme.py: {gone}"
    )
