"""The events of the log: what docs/logs.md says of them, and what the code gives them."""

from __future__ import annotations

import ast
import logging
import re
import string

from bridge.telemetry import events, stream_events
from bridge.telemetry.event import EVENTS
from bridge.telemetry.facts import FACTS
from tests.docs.test_readme import ROOT

LOGS = (ROOT / "docs" / "logs.md").read_text()
SOURCES = [ROOT / "main.py", ROOT / "handler.py", *sorted((ROOT / "bridge").rglob("*.py"))]
CONSTANTS = {
    name: value
    for module in (events, stream_events)
    for name, value in vars(module).items()
    if value in [*EVENTS.values()]
}
ALWAYS = {"time", "level", "event", "message", "worker", "traceback"}


def events_table() -> str:
    """Return the table of events as docs/logs.md has to show it."""
    rows = ["| `event` | `level` | `message` | facts |", "|---|---|---|---|"]
    for event in CONSTANTS.values():
        sentence = event.sentence.replace("!r}", "}")
        facts = ", ".join(f"`{each}`" for each in event.facts)
        level = logging.getLevelName(event.level).lower()
        rows.append(f"| `{event.name}` | {level} | {sentence} | {facts} |")
    return "\n".join(rows)


def facts_table() -> str:
    """Return the table of facts as docs/logs.md has to show it."""
    return "\n".join(["| fact | what |", "|---|---|", *(f"| `{k}` | {FACTS[k]} |" for k in FACTS)])


def test_tables_are_the_events() -> None:
    for table in (events_table(), facts_table()):
        assert table in LOGS, f"the table should read:\n\n{table}\n"


def test_every_fact_has_a_meaning_and_hides_no_field() -> None:
    assert {fact for event in EVENTS.values() for fact in event.facts} == set(FACTS)
    assert not ALWAYS & set(FACTS)


def test_names_are_short_and_sentences_hold_facts_of_their_event() -> None:
    for event in EVENTS.values():
        assert re.fullmatch(r"[a-z]+(_[a-z]+){0,2}", event.name), event
        shown = {name for _, name, _, _ in string.Formatter().parse(event.sentence) if name}
        assert shown <= set(event.facts), event


def test_every_event_is_told_and_always_with_the_same_facts() -> None:
    told = {"SAID", "LIBRARY"}
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or getattr(call.func, "attr", "") == "forget":
                continue
            named = {ast.unparse(each).rpartition("events.")[2] for each in call.args}
            for name in CONSTANTS.keys() & named:
                given = {keyword.arg for keyword in call.keywords}
                if getattr(call.func, "attr", "") == "tell":  # `ThrottledLog` adds the count
                    given = given - {"key"} | ({"count"} & set(CONSTANTS[name].facts))
                assert given == set(CONSTANTS[name].facts), f"{path}:{call.lineno}"
                told.add(name)
    assert told == set(CONSTANTS)
