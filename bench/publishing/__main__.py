"""Measures what browsers publish and ask, beside nats.js on nats-server's own WebSocket.

python -m bench.publishing               about five minutes
python -m bench.publishing --rounds 1    to see that it works

Both run in Node, in turn, with the same WebSocket: our client by the gateway, and nats.js, of which
a `flush` follows each `publish`, since before that nobody knows whether the server has it. At last
the p99 of followers without and beside a connection that publishes as much as it may. The exit
status is 1 if a goal is not reached.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

import psutil

from bench.figures import percentile
from bench.publishing import beside
from bench.publishing.node import Crowd, Done, Load
from bench.publishing.service import SUBJECT, Echo
from bench.publishing.table import NO_GOAL, NOT_REACHED, at_least, at_most, head, line
from bench.slow_rounds import Shape
from bench.targets import Gateway, NatsServer
from tests.page.support.npm import installed

ANY_RATE = {"PUBLISHES_PER_SECOND": "1e9", "PUBLISH_BURST": "1000000000"}
PUBLISHING = {
    "one connection, one at a time": (Load("publish", 1, 1, 3_000, "bench"), at_least(1)),
    "one connection, 1000 under way": (Load("publish", 1, 1000, 30_000, "bench"), at_least(1)),
    "100 connections, one at a time": (Load("publish", 100, 1, 300, "bench"), at_least(1)),
    "100 connections, 100 under way": (Load("publish", 100, 100, 300, "bench"), at_least(1)),
    "one connection, 10,000 and one flush": (Load("together", 1, 1, 10_000, "bench"), NO_GOAL),
}
"""With one flush nats.js does not know which it is that the server denies; our client does."""
ASKING = {
    "one connection": Load("request", 1, 1, 2_000, SUBJECT),
    "100 connections": Load("request", 100, 1, 100, SUBJECT),
}
AT_MOST = at_most(1.5)
LIMITS = {"20 a second, as by default": 20, "1000 a second": 1000}
GROWTH = at_most(1.1)


@dataclass(frozen=True)
class Side:
    """One of the two that are compared; `server` is what its clients speak with."""

    crowd: Crowd
    server: psutil.Process

    def run(self, load: Load) -> Done:
        """Do one run, and note what CPU time the server took."""
        before = self.server.cpu_times()
        done = self.crowd.run(load)
        after = self.server.cpu_times()
        used = after.user + after.system - before.user - before.system
        return replace(done, server_cpu=used)


def in_turn(sides: tuple[Side, Side], load: Load, rounds: int) -> tuple[list[Done], list[Done]]:
    """Measure both in each round, after one to warm up; they take turns to be the first."""
    found: tuple[list[Done], list[Done]] = [], []
    for number in range(rounds + 1):
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            found[which].append(sides[which].run(load))
    return found[0][1:], found[1][1:]


def publishing(sides: tuple[Side, Side], rounds: int) -> Iterator[str]:
    """Compare how many a second are acknowledged."""
    yield head("gateway", "nats.js", "CPU of the gateway, of Node", "of nats-server, of Node")
    for label, (load, goal) in PUBLISHING.items():
        ours, theirs = in_turn(sides, load, rounds)
        rates = [each.rate for each in ours], [each.rate for each in theirs]
        yield line(label, *rates, goal, cost(ours), cost(theirs))


def cost(done: list[Done]) -> str:
    """Return the CPU time for each message, of the server and of Node."""
    server = statistics.median(each.server_cpu / each.load.total for each in done)
    node = statistics.median(each.cpu / each.load.total for each in done)
    return f"{server * 1e6:.0f} µs, {node * 1e6:.0f} µs"


def asking(sides: tuple[Side, Side], rounds: int) -> Iterator[str]:
    """Compare how long it takes until a request is answered."""
    yield head("gateway, ms", "nats.js, ms")
    for label, load in ASKING.items():
        runs = in_turn(sides, load, rounds)
        for percent in (50, 99):
            ours, theirs = (
                [percentile(each.took, percent) * 1000 for each in done] for done in runs
            )
            yield line(f"{label}: p{percent}", ours, theirs, AT_MOST)


def followers(gateway: Gateway, rates: dict[str, int], rounds: int) -> Iterator[str]:
    """Compare how late messages come beside a connection that publishes, and without it."""
    yield head("p99 beside it, ms", "without it, ms")
    shape = Shape(seconds=4.0)
    beside.p99(gateway, shape, 0)  # to warm up
    for label, rate in rates.items():
        found: dict[int, list[float]] = {rate: [], 0: []}
        for number in range(rounds):
            for each in (0, rate) if number % 2 else (rate, 0):
                found[each].append(beside.p99(gateway, shape, each) * 1000)
        yield line(label, found[rate], found[0], GROWTH)


def measured(rounds: int) -> Iterator[str]:
    """Start what is measured, and return the tables line by line."""
    with ExitStack() as stack:
        nats, tools = NatsServer(), installed()
        stack.callback(nats.stop)
        gateway = Gateway("gateway", nats, ALLOW_PUBLISH=">", **ANY_RATE)
        stack.callback(gateway.stop)
        time.sleep(1)  # until the gateway is connected to NATS
        echo = Echo(nats.port)
        stack.callback(echo.stop)
        ours = f"ws://127.0.0.1:{gateway.port}/stream"
        native = f"ws://127.0.0.1:{nats.websocket_port}"
        crowds = Crowd(tools, "gateway", ours), Crowd(tools, "nats.js", native)
        for each in crowds:
            stack.callback(each.stop)
        sides = Side(crowds[0], gateway.ps), Side(crowds[1], psutil.Process(nats.process.pid))
        yield "**Acknowledged a second**\n"
        yield from publishing(sides, rounds)
        yield "\n**Time of a request**\n"
        yield from asking(sides, rounds)
        yield "\n**Followers**\n"
        yield from followers(gateway, LIMITS, rounds)


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="bench.publishing", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    missed = False
    for text in measured(parser.parse_args().rounds):
        print(text, flush=True)
        missed |= NOT_REACHED in text
    sys.exit(missed)


if __name__ == "__main__":
    main()
