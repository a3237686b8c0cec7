"""Names that are no settings, but were surely meant to be.

They are told, and end nothing: .env is read by Docker Compose, too, and an environment is shared
with everything else on a machine. Another program's name must not keep the service from starting.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from bridge.settings import dot_env

MIN_LIKENESS = 0.85
"""How alike a name is, of 1: one or two letters are wrong. HTTP_PROXY is 0.74 of HTTP_PORT."""
KNOWN = frozenset({"HTTPS_PORT", "LOGLEVEL"})
"""Similar names that belong to other programs."""


def did_you_mean(name: str, names: Iterable[str], alike: float = MIN_LIKENESS) -> str | None:
    """Return the one of `names` that `name` is most like, if it is that much alike."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=alike)
    return close[0] if close else None


def sentences(settings: Iterable[str], places: Mapping[str, Iterable[str]]) -> list[str]:
    """Say of each misspelt name in `places` where it is and what was meant."""
    right = [name.upper() for name in settings]
    return [
        f"{name} in {place} is not a setting: did you mean {meant}?"
        for place, names in places.items()
        for name in sorted(names)
        if name.upper() not in {*right, *KNOWN} and (meant := did_you_mean(name.upper(), right))
    ]


def places(secrets: Path) -> dict[str, list[str]]:
    """Return the names in each place that settings come from, but the flags."""
    return {
        "the environment": list(os.environ),
        ".env": list(dot_env.read()) if dot_env.ENV_FILE.is_file() else [],
        str(secrets): [path.name for path in secrets.iterdir()] if secrets.is_dir() else [],
    }
