"""What a long run says: a line for each fault, and what came of it all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from statistics import median

from tests.soak.crowd import Crowd
from tests.soak.faults import FAULTS, Cost, Fault
from tests.support.servers import Gateway, NatsServer, messages_by_fate

MEMORY = 8.0
"""MiB (RSS) that the gateway may have more at the end than after the warm-up."""
MOST_SHOWN = 50


@dataclass(frozen=True)
class Base:
    """What the gateway holds while nobody is connected to it."""

    tasks: float
    descriptors: float
    connections: float
    subscriptions: float
    """At the NATS server, the canary's inbox among them."""
    memory: float
    """MiB."""

    @classmethod
    def of(cls, gateway: Gateway, server: NatsServer) -> Base:
        """Look at the gateway and the server now."""
        process = gateway.ps()
        descriptors = process.num_fds()  # before a look at the figures opens one
        figures = gateway.figures()
        held = server.subscriptions() + server.inboxes()
        return cls(
            figures["bridge_tasks"],
            descriptors,
            figures["bridge_connections"],
            len(held),
            process.memory_info().rss / 2**20,
        )

    def grown(self, base: Base, memory: float = MEMORY) -> list[str]:
        """Return what did not come back to `base`; of memory, so many MiB more are none."""
        room = {"memory": memory}
        return [
            f"{name} grew from {before:g} to {now:g}"
            for name, before, now in self._beside(base)
            if now > before + room.get(name, 0)
        ]

    def table(self, base: Base) -> Iterable[str]:
        """Yield both, side by side."""
        yield f"{'':22}{'base':>10}{'end':>10}"
        for name, before, now in self._beside(base):
            yield f"{name:22}{before:>10.4g}{now:>10.4g}"

    def _beside(self, base: Base) -> list[tuple[str, float, float]]:
        names = [field.name for field in fields(self)]
        return [(name, getattr(base, name), getattr(self, name)) for name in names]


class Report:
    """Collects what the faults of a run cost, and which promises were broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.faults = 0
        self.void = 0
        """Faults whose cost could not be measured."""
        self._costs: dict[str, list[Cost]] = defaultdict(list)

    def add(self, fault: Fault, cost: Cost | None) -> str:
        """Take what a fault cost, if that could be measured; return a line that says it."""
        self.faults += 1
        if cost is None:
            self.void += 1
            return f"{fault.name:20} not measured: this machine is too busy"
        self._costs[fault.name].append(cost)
        self.broken += fault.broken(cost)
        told, flowing = (
            "  never" if seconds is None else f"{seconds:5.2f} s"
            for seconds in (cost.told, cost.flowing)
        )
        return f"{fault.name:20} told after {told}, flowing after {flowing}"

    def account(self, figures: dict[str, float]) -> str:
        """Check that each message due was delivered, filtered or dropped; return a line."""
        _, due, *parts = messages_by_fate(figures).values()
        text = "{} due, {} delivered + {} filtered + {} dropped + {} pending".format(due, *parts)
        if due != sum(parts):
            self.broken.append(f"the figures do not add up: {text}")
        return text

    def table(self) -> Iterable[str]:
        """Yield what each kind of fault cost, in seconds."""
        yield (
            f"{'':20}{'times':>7}{'told p50':>10}{'max':>7}{'promised':>10}{'flowing p50':>13}"
            + (f"{'max':>7}{'promised':>10}")
        )
        for fault in FAULTS:
            costs = self._costs[fault.name]
            told = [each.told for each in costs if each.told is not None]
            flowing = [each.flowing for each in costs if each.flowing is not None]
            if told and flowing:
                yield (
                    f"{fault.name:20}{len(costs):>7}{median(told):>10.2f}{max(told):>7.2f}"
                    f"{fault.told_within:>10g}{median(flowing):>13.2f}{max(flowing):>7.2f}"
                    f"{fault.flowing_within:>10g}"
                )

    def verdict(self, crowd: Crowd) -> Iterable[str]:
        """Yield how many messages were checked, and what was not as promised."""
        findings = crowd.findings
        yield (
            f"{findings.messages} messages checked, {crowd.came} browsers; lost and told: "
            f"{findings.lost_in_outages} in outages, {findings.lost_as_dropped} as dropped"
        )
        yield (
            f"{findings.of_streams} messages of a stream checked, none twice; "
            f"behind {findings.behind} times, told that some will not come {findings.missed} times"
        )
        broken = [*self.broken, *findings.violations]
        yield from (f"not as promised: {each}" for each in broken[:MOST_SHOWN])
        if len(broken) > MOST_SHOWN:
            yield f"and {len(broken) - MOST_SHOWN} more"
        if not broken:
            yield "nothing duplicated, nothing out of order, nothing lost untold, nothing left over"
