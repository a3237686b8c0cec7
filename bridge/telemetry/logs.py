"""What the service says: events and their facts, as lines of a log and for people."""

from __future__ import annotations

import logging
import os
import sys
from types import TracebackType
from typing import Any, NoReturn

from bridge.telemetry import events
from bridge.telemetry.event import Event
from bridge.telemetry.line_writer import LineWriter, write
from bridge.telemetry.log_lines import (
    JSONLines,
    SaidLines,
    TextLines,
    cut,
    printable,
    record_of,
)

REPEAT_REQUESTS = ("aiohttp.websocket", "aiohttp.internal")
"""Loggers whose lines below level error repeat headers, with the tokens in them: the subprotocols
that were offered, the names of cookies."""

_STDOUT, _STDERR = 1, 2

_told = logging.getLogger("bridge.told")
_said = logging.getLogger("bridge.said")


def set_up(level: str, form: str = "", worker: str = "") -> None:
    """Write what happens from `level` on, as `form` says: `text` or `json`; see `is_json`.

    JSON goes to standard output, all of it. Text for whoever started the service goes there too,
    at any level, and the log to standard error. `worker` is the number of this process among others
    of the service; while nothing is wrong, the first speaks for all. It can be called again.
    """
    as_json = is_json(form)
    if as_json:
        log = LineWriter(_STDOUT, JSONLines(worker))
    else:
        log = LineWriter(_STDERR, TextLines(worker))
    logging.basicConfig(level=level.upper(), handlers=[log], force=True)
    first = worker in ("", "1")
    said = SaidLines("" if first else worker)
    _said.handlers[:] = [] if as_json else [LineWriter(_STDOUT, said)]
    _said.propagate = as_json
    _said.setLevel(logging.NOTSET if as_json else logging.INFO if first else logging.WARNING)
    for name in REPEAT_REQUESTS:
        logging.getLogger(name).setLevel(logging.ERROR)
    # Not in our lines, and each of them would look for it.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(as_json)
    sys.excepthook = _crash


def is_json(form: str) -> bool:
    """Tell whether lines are JSON: if `form` says nothing, unless a person sees them."""
    return form == "json" or (not form and not os.isatty(_STDOUT))


def tell(event: Event, failure: BaseException | None = None, /, **facts: Any) -> None:
    """Write a line about `event`, with the traceback of `failure`."""
    _log(_told, event, failure, facts)


def say(line: str, event: Event = events.SAID, /, **facts: Any) -> None:
    """Tell the person who started the service; in JSON, with the sentence of `event`."""
    _log(_said, event, None, facts, line)


def _log(
    logger: logging.Logger,
    event: Event,
    failure: BaseException | None,
    facts: dict[str, Any],
    line: str = "",
) -> None:
    if not logger.isEnabledFor(event.level):
        return
    for name, fact in facts.items():
        if isinstance(fact, str):
            facts[name] = cut(fact)
    logger.handle(record_of(event, failure, line, logger.name, **facts))


def flush() -> None:
    """Wait until what was said is written, but not for long."""
    for handler in (*_said.handlers, *logging.getLogger().handlers):
        handler.flush()


def fail(sentence: str, form: str | None = None) -> NoReturn:
    """Print why the service cannot start, after what was said before, and exit with 2.

    On standard error, whatever the format, for scripts and people; and where lines are JSON, as
    one of them. `form` is that of `set_up`, where that has not been called.
    """
    sentence = printable(" ".join(sentence.split()))
    flush()
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    if form is not None:
        formatters = [JSONLines()] if is_json(form) else []
    for formatter in formatters:
        if isinstance(formatter, JSONLines):
            write(_STDOUT, [formatter.format(record_of(events.START_FAILED, reason=sentence))])
    print(sentence, file=sys.stderr)
    raise SystemExit(2)


def _crash(
    kind: type[BaseException], failure: BaseException, traceback: TracebackType | None
) -> None:
    tell(events.CRASHED, failure)
    flush()
