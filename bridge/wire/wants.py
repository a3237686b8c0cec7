"""How messages are wanted: what a subscribe request may ask for beside subjects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bridge.wire.metadata import KEYS

WANTS = ("meta",)
"""The keys of a request that say how its messages are wanted."""


@dataclass(frozen=True, slots=True)
class Wants:
    """Options of a follow. Those who follow a pattern with the same ones can share its frames."""

    meta: tuple[str, ...] = ()
    """What stands beside each message: some of `metadata.KEYS`, in their order."""


PLAIN = Wants()
"""What a request without options asks for: the wire of the tutorial."""


def read_wants(meta: Any) -> Wants | str:
    """Return what the value of each key asks for, None if it is not there; or what is wrong."""
    if meta is None:
        return PLAIN
    if not isinstance(meta, list) or not all(each in KEYS for each in meta):
        return f"meta has to be a list of some of {', '.join(map(repr, KEYS))}."
    return Wants(tuple(key for key in KEYS if key in meta)) if meta else PLAIN
