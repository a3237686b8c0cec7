"""Shows what compression costs and saves: the gateway beside nats-server, with and without it.

python -m bench.compressed                            100 and 500 connections, as fast as they go
python -m bench.compressed --rate 100                 the same messages, so many a second
python -m bench.compressed --connections 10 --messages 500 --rounds 1    to see that it works

All connections follow one subject. What they get is counted and thrown away, but for the first one
of each crowd: that it has every message once and in order is looked at behind the clock.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
from contextlib import ExitStack
from typing import NamedTuple

from bench.client import PIECE
from bench.load import Crowd, Publisher
from bench.suites import MOST_BUSY
from bench.targets import Gateway, Native, NatsServer, Target
from bench.unpacked import Offering, OfNats, Reading, text_of

QUIET_SECONDS = 0.5
"""After which nothing more is on its way."""
_NUMBER = re.compile(rb'"id":(\d+),')


class Measured(NamedTuple):
    """Figures of one run; `deliveries` a second, None if the load generator was the bottleneck."""

    deliveries: float | None
    cpu: float
    """Microseconds of the target, for each delivery."""
    size: float
    """Bytes on the wire, for each delivery."""


def orders(count: int) -> list[bytes]:
    """Return numbered payloads of about 128 bytes that are as similar as messages are."""
    chance = random.Random(16)
    return [
        b'{"id":%d,"price":%d.%02d,"side":"%b","venue":"XETR","account":"%08x","time":%d}'
        % (
            number,
            chance.randrange(1000),
            chance.randrange(100),
            chance.choice((b"buy", b"sell")),
            chance.getrandbits(32),
            1_764_300_000_000 + 7 * number,
        )
        for number in range(count)
    ]


def measure(target: Target, connections: int, messages: list[bytes], rate: float) -> Measured:
    """Publish, and read until nothing more comes. `rate`: messages a second, 0 for all at once."""
    commands = [target.command("bench", each) for each in messages]
    publisher, kept, size = Publisher(target.nats.port), bytearray(), 0
    with Crowd(target, [["bench"]] * connections) as crowd:
        first = next(iter(crowd.clients))
        room = bytearray(PIECE)
        times, busy, began = target.ps.cpu_times(), time.process_time(), time.perf_counter()
        last, sent = began, 0
        while time.perf_counter() < last + QUIET_SECONDS:
            due = len(commands)
            if rate:
                due = min(due, int((time.perf_counter() - began) * rate) + 1)
            if sent < due:
                publisher.socket.sendall(b"".join(commands[sent:due]))
                sent, last = due, time.perf_counter()
            for number, _ in crowd.poll.poll(0.001 if sent < len(commands) else 0.05):
                got = crowd.clients[number].socket.recv_into(room)
                size += got
                last = time.perf_counter()
                if number == first:
                    kept += room[:got]
        seconds, after = last - began, target.ps.cpu_times()
        is_busy = (time.process_time() - busy) / seconds > MOST_BUSY
    publisher.close()
    numbers = [int(each) for each in _NUMBER.findall(text_of(bytes(kept)))]
    if numbers != list(range(len(messages))):
        raise SystemExit(f"{target.name}: {len(numbers)} of {len(messages)} messages, or no order")
    total = len(messages) * connections
    cpu = after.user + after.system - times.user - times.system
    return Measured(None if is_busy else total / seconds, cpu / total * 1e6, size / total)


def targets(stack: ExitStack) -> list[tuple[Target, Target]]:
    """Start all that is measured: each without and with compression."""
    ours, other = NatsServer(), NatsServer(compression=True)
    stack.callback(ours.stop)
    stack.callback(other.stop)
    gateway = Gateway("gateway", ours)
    stack.callback(gateway.stop)
    time.sleep(1)  # until the gateway is connected to NATS
    batched = gateway.batched()
    return [
        (Native(other), OfNats(other)),
        (gateway, Offering.of(gateway)),
        (batched, Offering.of(batched)),
        (Reading.of(gateway, "SSE"), Reading.of(gateway, "SSE", gzip=True)),
    ]


def line(name: str, runs: list[Measured]) -> str:
    """Return a row of a table: medians of the runs."""
    rates = [each.deliveries for each in runs if each.deliveries]
    rate = f"{statistics.median(rates):,.0f}" if rates else ""
    cpu = [each.cpu for each in runs]
    spread = f"{statistics.median(cpu):.2f} ({min(cpu):.2f} to {max(cpu):.2f})"
    size = statistics.median(each.size for each in runs)
    return f"| {name} | {rate} | {spread} | {size:.0f} |"


def main() -> None:
    """Measure and print a table for each number of connections."""
    parser = argparse.ArgumentParser(prog="bench.compressed", description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second; 0: all at once")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    messages = orders(options.messages)
    with ExitStack() as stack:
        started = [each for pair in targets(stack) for each in pair]
        for connections in options.connections:
            found: dict[str, list[Measured]] = {each.name: [] for each in started}
            for _ in range(options.rounds):
                for target in started:
                    run = measure(target, connections, messages, options.rate)
                    found[target.name].append(run)
            print(f"\n**{connections} connections**\n")
            print(
                "| | deliveries a second | CPU of each in µs | bytes of each |\n|---|---|---|---|"
            )
            for name, runs in found.items():
                print(line(name, runs), flush=True)


if __name__ == "__main__":
    main()
