"""Files that grant: a JSON object a line, whose fields `allow`, `deny`, `publish`, `history` do."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from bridge.access.tokens import Grants, granted, past_granted


class Line(NamedTuple):
    """One line: its number, its fields without those that grant, and what these grant."""

    number: int
    fields: dict[str, Any]
    grants: Grants
    publish: Grants
    history: tuple[str, ...] | None


def read_lines(text: str) -> list[Line]:
    """Return the lines of a file, but empty ones and those that begin with `#`.

    Raises ValueError that names a line which is no such object.
    """
    numbered = enumerate(text.splitlines(), start=1)
    return [
        _line(number, line)
        for number, line in numbered
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _line(number: int, line: str) -> Line:
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise TypeError
        grants = granted({key: fields.pop(key) for key in ("allow", "deny") if key in fields})
        publish = granted(fields.pop("publish", {}))
        history = past_granted(fields)
        fields.pop("history", None)
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"line {number} is not a JSON object with valid grants") from None
    return Line(number, fields, grants, publish, history)
