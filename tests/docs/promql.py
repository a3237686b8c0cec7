"""What a PromQL expression asks for; it knows as much of the grammar as is used in `deploy/`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_STRING = re.compile(r'"[^"]*"')
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"(?<![\w$])([a-zA-Z_:][\w:]*)(?:\s*\{([^}]*)\})?(?!\w|\s*\()")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_WORDS = {"or", "and", "unless", "bool", "offset"}


@dataclass
class Asked:
    """What is named in an expression."""

    metrics: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Name to the labels it has to have; a value of "" stands for any."""
    groups: set[str] = field(default_factory=set)
    """Labels that are grouped by, or without."""


def asked_by(expression: str) -> Asked:
    """Return the metrics and labels that `expression` names."""
    asked = Asked()
    for labels in _GROUPING.findall(_STRING.sub('""', expression)):
        asked.groups |= {label.strip() for label in labels.split(",")}
    rest = re.sub(r"\[[^]]*\]", "", _GROUPING.sub(" ", expression))
    for name, matchers in _SELECTOR.findall(rest):
        if name not in _WORDS:
            labels = asked.metrics.setdefault(name, [])
            for label, how, value in _MATCHER.findall(matchers):
                labels.append((label, value if how == "=" else ""))
    return asked
