"""Every row of the bench, with its goals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.heart import fanout_rows, request_rows
from bench.heart.table import Goal, Measured
from bench.heart.world import Bench


@dataclass(frozen=True)
class Row:
    """Something that is measured by itself."""

    name: str
    what: str
    goals: tuple[Goal, ...]
    measure: Callable[[Bench], Measured]


ROWS = (
    Row(
        "grants",
        "9,900 messages at once, each on a new subject, to 300 holders with grants of their own",
        (
            Goal("longest stop of the event loop", 50, "ms"),
            Goal("memory of a holder", 30, "KiB more"),
        ),
        fanout_rows.grants,
    ),
    Row(
        "turnover",
        "600 messages a second on 600 subjects to 600 such holders, while six more come and go "
        "each second",
        (Goal("p99 of a bystander", 1.2, "x that with nobody coming"),),
        fanout_rows.turnover,
    ),
    Row(
        "toggle",
        "300 messages a second on 300 subjects to 100 browsers with 63 patterns of their own and "
        "`t.>`, while one more toggles `t.>` ten times a second",
        (
            Goal("p99 of a bystander", 10, "ms more"),
            Goal("CPU of the gateway", 10, "points more"),
        ),
        fanout_rows.toggle,
    ),
    Row(
        "fresh",
        "200 messages a second, each on a new subject, to 100 browsers with 127 patterns of their "
        "own and `t.>`",
        (Goal("p99 of a bystander", 20, "ms"),),
        fanout_rows.fresh,
    ),
    Row(
        "far",
        "200 browsers that ask at once for 10 patterns of their own each, with NATS 10 ms away",
        (Goal("worst response", 1, "s"),),
        request_rows.far,
    ),
    Row(
        "joins",
        "3000 browsers that come and follow a shared and an own subject each, with 20 messages a "
        "second on the shared one",
        (Goal("until the last is acknowledged", 1.5, "x nats-server's own WebSocket"),),
        request_rows.joins,
    ),
    Row(
        "arrivals",
        "3000 browsers that come one after the other and follow a subject, with `LOG_LEVEL=info`",
        (Goal("until the last is acknowledged", 1.4, "x nats-server's own WebSocket"),),
        request_rows.arrivals,
    ),
    Row(
        "request",
        "one request of 128 patterns, ordinary ones or such as overlap, of 110 tokens each",
        (Goal("CPU of the gateway at worst", 5, "ms"),),
        request_rows.ask,
    ),
)
