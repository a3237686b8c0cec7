"""What came of one fault: a row of the table, and what was not as promised."""

from __future__ import annotations

import time
from collections import Counter
from statistics import median

from tests.cluster.page import Page
from tests.soak.checker import Findings

BACK_WITHIN = 5.0
"""Seconds from the command to the first message over a new connection."""
HEAD = [
    "| what happened | pages cut off | back after: median, worst | other pages cut off "
    "| told of a gap | flows again after, at worst | lost and told | lost untold, twice, out of "
    "order | ready again after | pages at each gateway; with a third of them loaded anew |",
    "|---" * 10 + "|",
]


class Row:
    """One fault, which begins now and is over with `end`. Pages are to be back `within` seconds."""

    def __init__(self, name: str, pages: list[Page], findings: Findings, within: float) -> None:
        self.ready_after: float | None = None
        """Seconds from the start of a gateway until the balancer sends pages there."""
        self.spread = ""
        self._name = name
        self._within = within
        self._pages = pages
        self._findings = findings
        self._begun = time.monotonic()
        self._lost = {each: each.lost for each in pages}
        self._lost_messages = findings.lost_in_outages
        self._before = len(findings.violations)

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self._begun

    def end(self, all_back: bool, due: int | None) -> None:
        """Sum up. `due`: how many pages the gateway had, if it was one."""
        hit = [each for each in self._pages if each.lost > self._lost[each]]
        told = [each for each in self._pages if each.told_down_at > self._begun]
        self._all_back, self._due = all_back, due
        self._hit, self._told = len(hit), len(told)
        self._codes = Counter(each.code for each in hit)
        self._back = [each.came_back_at - self._begun for each in hit]
        self._flows = [each.told_up_at - self._begun for each in told]
        self._lost_messages = self._findings.lost_in_outages - self._lost_messages
        self._violations = self._findings.violations[self._before :]

    def __str__(self) -> str:
        codes = ", ".join(f"{number} x {code}" for code, number in self._codes.items())
        cells = [
            self._name,
            codes or "0",
            f"{median(self._back):.2f} s, {max(self._back):.2f} s" if self._back else "",
            "" if self._due is None else str(self._hit - self._due),
            str(self._told),
            f"{max(self._flows):.2f} s" if self._flows else "",
            str(self._lost_messages),
            str(len(self._violations)),
            "" if self.ready_after is None else f"{self.ready_after:.1f} s",
            self.spread,
        ]
        return f"| {' | '.join(cells)} |"

    def broken(self) -> list[str]:
        """Return what was not as promised."""
        lines = [f"{self._name}: {each}" for each in self._violations]
        if not self._all_back:
            lines.append(f"{self._name}: not every page has messages again")
        if self._due is not None and (self._hit != self._due or self._told):
            lines.append(f"{self._name}: pages of other gateways noticed")
        if self._back and max(self._back) > self._within:
            lines.append(f"{self._name}: back after {max(self._back):.1f} s")
        return lines
