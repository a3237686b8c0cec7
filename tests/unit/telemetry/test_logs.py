"""Lines of the log: their form, and that floods are told in few of them."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.connections.slow_consumer import Episode
from bridge.telemetry import events
from bridge.telemetry.log_lines import JSONLines, SaidLines, TextLines, bare_origin
from bridge.telemetry.throttled_log import ThrottledLog
from tests.support.json_log import checked
from tests.support.servers import ROOT

ANYTHING = st.text(st.characters(), max_size=40)  # surrogates, too


def record(text: str, failure: BaseException | None = None, **more: Any) -> logging.LogRecord:
    exc_info = (type(failure), failure, None) if failure else None
    made = {"levelno": 20, "levelname": "INFO", "name": "lib", "msg": text, "exc_info": exc_info}
    return logging.makeLogRecord(made | more)


@given(ANYTHING, ANYTHING, ANYTHING)
def test_a_json_line_is_one_line_of_ascii_and_holds_what_it_was_given(
    text: str, origin: str, reason: str
) -> None:
    facts = {"address": "a", "origin": origin, "own": "b", "reason": reason, "count": 1}
    event = {"event": "refused_origin", "facts": facts}
    line = JSONLines().format(record(text or "-", ValueError(reason), **event))
    assert line.isascii() and line.isprintable()
    fields = checked(line)
    assert fields["origin"] == origin
    assert fields["message"].isprintable()
    assert fields["traceback"] == f"ValueError: {reason}".removesuffix(": ")


FACTS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(0, 1e6) | ANYTHING


@given(st.dictionaries(ANYTHING, FACTS | st.lists(ANYTHING), max_size=5))
def test_a_json_line_looks_as_everybody_else_writes_it(facts: dict[str, Any]) -> None:
    line = JSONLines().format(record("text", event="said", facts=facts))
    assert line == json.dumps(json.loads(line))


@given(ANYTHING, ANYTHING)
def test_a_text_line_is_one_line_and_a_traceback_is_indented(text: str, reason: str) -> None:
    for formatter in TextLines(), SaidLines():
        assert formatter.format(record(text, line=text)).isprintable()
    first, *rest = TextLines().format(record(text, ValueError(f"x{reason}"))).split("\n")
    assert first.isprintable() and rest
    for line in rest:
        assert line.startswith("  ") and line.isprintable()


def test_a_library_is_named_and_its_worst_level_is_error() -> None:
    for number, level in ((50, "error"), (40, "error"), (30, "warning"), (10, "debug")):
        name = logging.getLevelName(number)
        line = JSONLines().format(record("it said so", levelno=number, levelname=name))
        fields = checked(line)
        assert (fields["event"], fields["logger"], fields["level"]) == ("log", "lib", level)


@pytest.mark.parametrize("formatter", [JSONLines(), TextLines()])
def test_what_a_library_says_is_cut_as_facts_are(formatter: logging.Formatter) -> None:
    line = formatter.format(record("%s", ValueError("y" * 9000), args=("x" * 9000,)))
    assert "x" * 500 in line and "x" * 501 not in line
    assert "y" * 400 in line and "y" * 501 not in line


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://here.example:8443", "https://here.example:8443"),
        ("null", "null"),
        ("", ""),
        ("app+x://user:planted@host", "app+x://host"),
        ("https://a@planted@host:1", "https://host:1"),
        ("planted@host", "host"),
        ("https://host/planted", "https://host"),
        ("https://host?planted", "https://host"),
        ("https://ho#planted@st", "https://ho"),
        ("https://pl/anted@host", "https://pl"),
        ("a b://planted@host", "a b:"),
    ],
)
def test_an_origin_is_shown_without_user_and_password(origin: str, shown: str) -> None:
    assert bare_origin(origin) == shown


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("planted")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("text", "args", "line"),
    [
        ("%d things", ("many",), "%d things ('many',)"),
        ("%(a)s", ({"b": 1},), "%(a)s {'b': 1}"),
        ("%s", (Unprintable(),), "a line that cannot be made: RuntimeError"),
        (Unprintable(), (), "a line that cannot be made: RuntimeError"),
    ],
)
def test_a_mistake_of_a_library_is_a_line_and_not_raised(text: Any, args: Any, line: str) -> None:
    made = logging.LogRecord("lib", logging.WARNING, "", 0, text, args, None)
    assert json.loads(JSONLines().format(made))["message"] == line
    for formatter in TextLines(), SaidLines():
        assert formatter.format(made).endswith(line)


PROGRAM = """
import logging, sys, warnings
from bridge.telemetry import events, logs
form, worker = sys.argv[1:]
logs.set_up("debug", form, "parent")
logs.set_up("info", form, worker)  # as a child that was forked does
logs.tell(events.FILE_READ, setting="x" * 10000)
logs.tell(events.FILES_RAISED, files=1, before=1)
logs.say("page  here", events.LISTENING, url="here", pid=1)
logs.say("come and see")
logging.getLogger("lib").warning("of a %s", "library")
logging.getLogger("lib").warning("%d things", "many")
warnings.warn("careful")
raise RuntimeError("planted")
"""


def run(form: str, worker: str) -> tuple[list[str], list[str]]:
    """Return the lines of standard output and standard error."""
    command = [sys.executable, "-c", PROGRAM, form, worker]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    return ended.stdout.splitlines(), ended.stderr.splitlines()


def test_everything_is_on_standard_output_as_json_and_names_its_worker() -> None:
    lines, errors = run("json", "2")
    assert errors == []
    logged = [json.loads(line) for line in lines]
    names = ["file_read", "listening", "said", "log", "log", "log", "crashed"]
    assert [each["event"] for each in logged] == names
    assert {each["worker"] for each in logged} == {"2"}
    assert logged[1]["message"] == "the page is at here"
    assert logged[2]["message"] == "come and see"
    assert logged[4]["message"] == "%d things ('many',)"
    assert logged[-1]["traceback"].endswith("RuntimeError: planted")
    assert len(lines[0]) < 1500, "a fact is cut"
    assert "worker" not in json.loads(run("json", "")[0][0])


def test_as_text_what_is_said_is_apart_from_the_log_and_by_the_first_worker() -> None:
    said, log = run("text", "2")
    assert said == []
    timed = [line.split(" ", 2)[2] for line in log if line[:1].isdigit()]
    assert timed[0].startswith("INFO worker 2: xxx")
    assert timed[1:] == [
        "WARNING worker 2: of a library",
        "WARNING worker 2: %d things ('many',)",
        "ERROR worker 2: the service ends: this is a bug",
    ]
    assert log[-1] == "  RuntimeError: planted"
    assert run("text", "")[0] == run("text", "1")[0] == ["page  here", "come and see"]


class Timers:
    """The event loop's timers and its time, which passes only when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Callable[[], None]]] = []
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: self.now)
        monkeypatch.setattr(loop, "call_later", self._call_later)

    def _call_later(self, seconds: float, callback: Any, *args: Any) -> Any:
        timer = (self.now + seconds, lambda: callback(*args))
        self._due.append(timer)
        return SimpleNamespace(cancel=lambda: timer in self._due and self._due.remove(timer))

    def go_on(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [each for each in self._due if each[0] <= end]:
            timer = min(due, key=lambda each: each[0])
            self._due.remove(timer)
            self.now = timer[0]
            timer[1]()
        self.now = end


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    """Return what was told since the last time."""
    seen = [(each.event, each.facts) for each in caplog.records]  # type: ignore[attr-defined]
    caplog.clear()
    return seen


async def test_refusals_are_told_at_once_and_then_once_a_minute_with_their_number(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timers, refusals = Timers(monkeypatch), ThrottledLog()
    for number in range(960):  # eight a second
        refusals.tell(events.REFUSED_FULL, address=str(number))
        timers.go_on(0.125)
    refusals.tell(events.REFUSED_ADDRESS, address="another")
    assert [(name, facts["count"]) for name, facts in told(caplog)] == [
        ("refused_full", 1),
        ("refused_full", 479),
        ("refused_full", 480),
        ("refused_address", 1),
    ]
    timers.go_on(130)
    assert told(caplog) == []
    refusals.tell(events.REFUSED_FULL, address="late")
    refusals.tell(events.REFUSED_FULL, address="latest")
    assert told(caplog) == [("refused_full", {"address": "late", "count": 1})]
    await refusals.tell_rest()
    assert told(caplog) == [("refused_full", {"address": "latest", "count": 1})]


async def test_what_has_no_count_is_told_once_an_interval_for_each_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timers, throttled = Timers(monkeypatch), ThrottledLog()
    for _ in range(90):
        throttled.tell(events.NATS_ERROR, key="one", url="u", reason="one")
        timers.go_on(2)
    throttled.tell(events.NATS_ERROR, key="two", url="u", reason="two")
    assert [facts["reason"] for _, facts in told(caplog)] == ["one"] * 3 + ["two"]
    throttled.forget(events.NATS_ERROR)
    throttled.tell(events.NATS_ERROR, key="two", url="u", reason="two")
    await throttled.tell_rest()
    assert [facts["reason"] for _, facts in told(caplog)] == ["two"]


async def test_what_was_forgotten_does_not_shorten_the_next_interval(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    timers, throttled = Timers(monkeypatch), ThrottledLog()
    throttled.tell(events.NATS_ERROR, url="u", reason="r")
    timers.go_on(50)
    throttled.forget(events.NATS_ERROR)
    throttled.tell(events.NATS_ERROR, url="u", reason="r")
    timers.go_on(20)
    throttled.tell(events.NATS_ERROR, url="u", reason="r")
    assert len(told(caplog)) == 2
    timers.go_on(41)
    throttled.tell(events.NATS_ERROR, url="u", reason="r")
    assert len(told(caplog)) == 1


async def test_drops_are_one_episode_until_there_was_none_for_five_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    timers = Timers(monkeypatch)
    episode = Episode("it", 1000)
    for _ in range(100):
        episode.dropped += 2
        timers.go_on(0.99)
    assert not episode.over
    timers.go_on(10)
    assert episode.over
    began, ended = told(caplog)
    assert began == ("slow_consumer_began", {"connection": "it", "pending_bytes": 1000})
    assert ended == ("slow_consumer_ended", {"connection": "it", "dropped": 200, "seconds": 99.0})
    episode = Episode("it", 1000)
    episode.dropped += 1
    timers.go_on(4.9)
    episode.dropped += 1
    timers.go_on(0.05)
    episode.end()
    episode.end()
    (_, began), (_, ended) = told(caplog)
    assert (ended["dropped"], ended["seconds"]) == (2, 4.95)
    timers.go_on(10)
    assert told(caplog) == []
