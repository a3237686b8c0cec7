"""When messages that are pending are written: at once if there are few, together if there are many.

A write costs ten times what a message costs. So what comes within a millisecond of the last write
waits for that millisecond to pass; and while NATS has more for us than we have read, writing waits
for more to put into one write. A message that comes alone is written at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from itertools import chain, count
from typing import TYPE_CHECKING

from bridge.fanout.group import Group, joined_runs, write

if TYPE_CHECKING:
    from bridge.fanout.member import Member
    from bridge.telemetry.counters import Counters

WRITE_INTERVAL_SECONDS = 0.001
"""Between two flushes, unless there is much to write."""
MAX_DELAY_SECONDS = 0.02
"""That a message waits at most for those behind it."""
QUIET_TURNS = 3
"""Turns of the event loop until what a socket holds has been read, parsed and seen here."""


class Flusher:
    """Flushes the groups that have something pending, together."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.next_number = count(1).__next__
        """Numbers what comes, so that a member of several groups gets it in that order."""
        self._waiting: dict[Group, None] = {}
        self._since = 0.0
        self._written = 0.0
        self._seen = 0
        """The number of the last look."""
        self._quiet = 0
        self._is_due = False
        """Whether a look is coming."""

    def add(self, group: Group) -> None:
        """Flush `group` soon."""
        if self._waiting:
            self._waiting[group] = None
            return
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        self._quiet = 0
        self._waiting[group] = None
        if self._is_due:
            return
        self._is_due = True
        if self._since < self._written + WRITE_INTERVAL_SECONDS:
            loop.call_at(self._written + WRITE_INTERVAL_SECONDS, self._look)
        else:
            loop.call_soon(self._look)

    def flush(self, group: Group | None = None) -> None:
        """Flush everything now; with `group`, what has to be written with it."""
        if group is not None and not group.mixed:
            self._waiting.pop(group, None)
            group.write(group.take(), {})
            return
        waiting, self._waiting = self._waiting, {}
        write_together(waiting, self._counters)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        number = self.next_number()
        self._quiet = self._quiet + 1 if number == self._seen + 1 else 0
        self._seen = number
        if self._quiet < QUIET_TURNS and loop.time() < self._since + MAX_DELAY_SECONDS:
            loop.call_soon(self._look)
        else:
            self._is_due = False
            self.flush()
            self._written = loop.time()
            self._counters.fan_out.observe(self._written - self._since)


def write_together(groups: Collection[Group], counters: Counters) -> None:
    """Write all that is pending in `groups`, to each member in one write, in the order it came."""
    if len(groups) == 1:
        for group in groups:
            group.write(group.take(), {})
        return
    several = _members_of_several([group for group in groups if group.mixed])
    together: dict[tuple[Group, ...], dict[Member, None]] = {}
    for member, its in several.items():
        together.setdefault(tuple(its), {})[member] = None
    merged = [
        (joined_runs(sorted(chain.from_iterable(each.runs for each in its))), its[0], members)
        for its, members in together.items()
    ]
    for group in groups:
        group.write(group.take(), several)
    for pieces, first, members in merged:
        write(pieces, first.key.framing, members, counters)


def _members_of_several(groups: list[Group]) -> dict[Member, list[Group]]:
    """Return the members of more than one of `groups`, and of which."""
    if len(groups) < 2:
        return {}
    # Those of the largest need not be looked at: thousands may share a subject.
    largest = max(groups, key=lambda group: len(group.members))
    found: dict[Member, list[Group]] = {}
    for group in groups:
        if group is not largest:
            for member in group.members:
                found.setdefault(member, []).append(group)
    for member, its in found.items():
        if member in largest.members:
            its.append(largest)
    return {member: its for member, its in found.items() if len(its) > 1}
