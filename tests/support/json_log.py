"""A gateway's log, where it is JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from bridge.telemetry import events, stream_events  # noqa: F401  they fill the list
from bridge.telemetry.event import EVENTS
from tests.support.servers import Gateway

ALWAYS = {"time", "level", "event", "message"}
MAYBE = {"traceback"}
LEVELS = {"debug", "info", "warning", "error"}


def logged(service: Gateway, name: str = "") -> list[dict[str, Any]]:
    """Return what was logged of the event `name`, or of all; fail if a line is not as documented.

    Whole lines only, on standard output or standard error.
    """
    lines = service.output().splitlines(keepends=True)
    found = [checked(line) for line in lines if line.endswith("\n")]
    return [each for each in found if name in ("", each["event"])]


def checked(line: str) -> dict[str, Any]:
    """Return what a line says; fail if it is not as documented."""
    fields: dict[str, Any] = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fields["time"]), line
    assert fields["level"] in LEVELS, line
    assert fields["message"] and "\n" not in fields["message"], line
    assert set(fields) - MAYBE == ALWAYS | set(EVENTS[fields["event"]].facts), line
    return fields
