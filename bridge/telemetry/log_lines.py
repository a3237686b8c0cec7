"""What a line of the log looks like: for people, or as JSON for whatever collects it.

Nothing a browser or a publisher sends can begin a line of its own, nor move a terminal's cursor.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bridge.telemetry import events
from bridge.telemetry.event import Event

MAX_FACT_CHARACTERS = 500
"""Of a fact, some of which are what a browser has sent; of what a library says; of a line of a
traceback."""

_ORIGIN = re.compile(r"(?i)(?P<scheme>[a-z][a-z0-9+.-]*://)?([^/?#]*@)?(?P<host>[^/?#]*)")


def record_of(
    event: Event,
    failure: BaseException | None = None,
    line: str = "",
    logger: str = "",
    /,
    **facts: Any,
) -> logging.LogRecord:
    """Return what is to be logged of an event. `line`: what is said to people, if not its sentence.

    A logger would make it, too, but first looks for the line of code that logs: half the cost.
    """
    return logging.makeLogRecord(
        {
            "name": logger,
            "levelno": event.level,
            "levelname": logging.getLevelName(event.level),
            "msg": line if event is events.SAID else event.sentence.format(**facts),
            "exc_info": (type(failure), failure, failure.__traceback__) if failure else None,
            "event": event.name,
            "facts": facts,
            "line": line,
        }
    )


class JSONLines(logging.Formatter):
    """One JSON object a line, of ASCII alone. `worker`: which process says it, among several.

    The fields a line always has come first, then the facts of its event, then a traceback.
    """

    def __init__(self, worker: str = "") -> None:
        super().__init__()
        self._worker = {"worker": worker} if worker else {}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        event = getattr(record, "event", None)
        fields: dict[str, Any] = {
            "time": _rfc3339(record.created),
            "level": logging.getLevelName(min(record.levelno, logging.ERROR)).lower(),
            "event": event or events.LIBRARY.name,
            "message": printable(_message(record)),
            **self._worker,
            **(getattr(record, "facts", {}) if event else {"logger": record.name}),
        }
        if record.exc_info:
            fields["traceback"] = _traceback(self, record)
        return json.dumps(fields)


class TextLines(logging.Formatter):
    """Lines with time and level; those of a traceback are indented under theirs."""

    def __init__(self, worker: str = "") -> None:
        super().__init__()
        self._worker = f"worker {worker}: " if worker else ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, or the lines of a traceback."""
        lines = [f"{self._begin(record)}{self._worker}{printable(self._text(record))}"]
        if record.exc_info:
            lines += (f"  {printable(line)}" for line in _traceback(self, record).splitlines())
        return "\n".join(lines)

    def _begin(self, record: logging.LogRecord) -> str:
        return f"{self.formatTime(record)} {record.levelname} "

    def _text(self, record: logging.LogRecord) -> str:
        return _message(record)


class SaidLines(TextLines):
    """What is said to whoever started the service: the line as it stands."""

    def _begin(self, record: logging.LogRecord) -> str:
        return ""

    def _text(self, record: logging.LogRecord) -> str:
        return getattr(record, "line", None) or _message(record)


def printable(text: str) -> str:
    r"""Return `text` with what cannot be seen, or does something, as `\n`, `\x1b`, `\u202e`."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def cut(text: str) -> str:
    """Return `text`, or its first `MAX_FACT_CHARACTERS`."""
    return text if len(text) <= MAX_FACT_CHARACTERS else f"{text[:MAX_FACT_CHARACTERS]}…"


def bare_origin(origin: str) -> str:
    """Return an origin without user and password, and without all that is no part of one."""
    found = _ORIGIN.match(origin)
    return f"{found['scheme'] or ''}{found['host']}" if found else ""


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    assert record.exc_info
    return "\n".join(map(cut, formatter.formatException(record.exc_info).split("\n")))


def _message(record: logging.LogRecord) -> str:
    text = _whole_message(record)
    return text if getattr(record, "event", None) else cut(text)


def _whole_message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as failure:
        # A library's mistake in a line of the log must not become one of what it was doing.
        try:
            return f"{record.msg} {record.args}"
        except Exception:
            return f"a line that cannot be made: {type(failure).__name__}"


def _rfc3339(seconds: float) -> str:
    return f"{_whole_second(int(seconds))}.{int(seconds % 1 * 1000):03}Z"


@lru_cache(maxsize=1)
def _whole_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
