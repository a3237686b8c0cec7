"""What an event is, and the list of all."""

from __future__ import annotations

from dataclasses import dataclass

EVENTS: dict[str, Event] = {}
"""By name; each of those in `events.py` and `stream_events.py` adds itself."""


@dataclass(frozen=True, slots=True)
class Event:
    """What can happen. `sentence` is for people: a fact in braces stands for its value."""

    name: str
    level: int
    sentence: str
    facts: tuple[str, ...]


def new_event(name: str, level: int, sentence: str, *facts: str) -> Event:
    """Return an event that has not been there before."""
    event = EVENTS[name] = Event(name, level, sentence, facts)
    return event
