"""Shows what a rate saves: the CPU time of a gateway with and without one, under the same load.

python -m bench.rates                       500 connections, 10,000 messages a second, 1000 subjects
python -m bench.rates --connections 50 --seconds 2 --rounds 1    to see that it works

All connections follow one wildcard; what they get is read and thrown away. The same messages for
one connection show what it costs to receive them. All are measured in turn at one gateway, and the
ratios are medians of all rounds.
"""

from __future__ import annotations

import argparse
import json
import select
import statistics
import threading
import time
from contextlib import ExitStack

from bench.client import PIECE, Client
from bench.load import Publisher, payloads
from bench.targets import Gateway, NatsServer, masked, publish

STEP_SECONDS = 0.005
"""Between two batches of a publisher that is paced."""
MAX_PENDING = "1048576"
QUIET_SECONDS = 1.0
"""After which all has been written that waited for its time, at the rates that are measured."""


class Rated(Gateway):
    """A gateway that is asked for a rate; 0: for all messages."""

    max_rate = 0.0

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        """Return what a client sends, with the option."""
        (hello, greeting), _ = super().steps(patterns)
        options = {"max_rate": self.max_rate} if self.max_rate else {}
        request = json.dumps({"subjects": patterns, **options}).encode()
        return [(hello, greeting), (masked(request), b"Successfully connected to events")]


class Readers:
    """Clients that take all that comes, in a thread of their own."""

    def __init__(self, target: Rated, count: int) -> None:
        self._clients = [Client(target, ["bench.*"]) for _ in range(count)]
        for client in self._clients:
            while not client.step():
                pass
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        poll, room = select.epoll(), bytearray(PIECE)
        sockets = {client.socket.fileno(): client.socket for client in self._clients}
        for number in sockets:
            poll.register(number, select.EPOLLIN)
        while not self._is_over.is_set():
            for number, _ in poll.poll(0.1):
                sockets[number].recv_into(room)

    def stop(self) -> None:
        """Read no more, and leave."""
        self._is_over.set()
        self._thread.join()
        for client in self._clients:
            client.socket.close()


def measure(target: Rated, options: argparse.Namespace) -> tuple[float, dict[str, int]]:
    """Return the CPU seconds that the gateway took for each second, and what it counted."""
    each = int(options.messages * STEP_SECONDS)
    count = int(options.seconds / STEP_SECONDS) * each
    commands = [
        publish(f"bench.{number % options.subjects}", payload)
        for number, payload in enumerate(payloads(count, options.size))
    ]
    publisher, readers = Publisher(target.nats.port), Readers(target, options.connections)
    time.sleep(QUIET_SECONDS)
    before, used = target.counters(), target.ps.cpu_times()
    began = time.monotonic()
    for number in range(0, count, each):
        publisher.socket.sendall(b"".join(commands[number : number + each]))
        time.sleep(max(0.0, began + number / options.messages - time.monotonic()))
    time.sleep(QUIET_SECONDS)
    seconds, now = time.monotonic() - began - QUIET_SECONDS, target.ps.cpu_times()
    after = target.counters()
    publisher.close()
    readers.stop()
    took = now.user + now.system - used.user - used.system
    return took / seconds, {name: after[name] - before[name] for name in after}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="bench.rates", description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--messages", type=int, default=10_000, help="a second")
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--size", type=int, default=32, help="of each message, in bytes")
    parser.add_argument("--max-rate", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cases = {
        "one connection": (1, 0.0),
        "all messages": (options.connections, 0.0),
        f"max_rate {options.max_rate:g}": (options.connections, options.max_rate),
    }
    ratios, beyond = [], []
    print("| | CPU | delivered a second | filtered | dropped |\n|---|---|---|---|---|")
    with ExitStack() as stack:
        nats = NatsServer()
        stack.callback(nats.stop)
        target = Rated("gateway", nats, MAX_PENDING_BYTES=MAX_PENDING)
        stack.callback(target.stop)
        time.sleep(1)  # until the gateway is connected to NATS
        for _ in range(options.rounds):
            cpu = []
            for name, (options.connections, target.max_rate) in cases.items():
                used, counted = measure(target, options)
                cpu.append(used)
                delivered = counted["delivered"] / options.seconds
                fates = f"{counted['filtered']} | {counted['dropped']}"
                print(f"| {name} | {used:.3f} | {delivered:,.0f} | {fates} |", flush=True)
            ratios.append(cpu[2] / cpu[1])
            beyond.append((cpu[2] - cpu[0]) / (cpu[1] - cpu[0]))
    for name, found in (("rate : all", ratios), ("the same, beyond one connection", beyond)):
        print(f"{name}: {statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f})")


if __name__ == "__main__":
    main()
