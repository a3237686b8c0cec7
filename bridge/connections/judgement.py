"""Whether a pattern may be asked for, before NATS hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.wire import responses, subjects
from bridge.wire.responses import Refusal

if TYPE_CHECKING:
    from bridge.access.policy import SubjectPolicy


def fault_of(pattern: str, policy: SubjectPolicy, count: int, most: int) -> Refusal | None:
    """Say why `pattern`, with which a connection would have `count`, may not be asked for."""
    fault = subjects.fault(pattern)
    if fault:
        text = f"{_shown(pattern)} is not a valid subject: {fault}."
        return Refusal("bad_subject", text, [pattern])
    if not policy.may_follow(pattern):
        return denied(pattern)
    if count > most:
        text = f"A connection may follow {most} patterns, {_shown(pattern)} would be one more."
        return Refusal("limit", text, [pattern], counted_as="patterns")
    return None


def denied(pattern: str) -> Refusal:
    """Return the refusal of a pattern that is not granted, or not any more."""
    return Refusal("denied", f"{_shown(pattern)} may not be followed here.", [pattern])


def _shown(pattern: str) -> str:
    return repr(responses.shorten(pattern))
