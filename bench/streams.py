"""Shows what following a stream costs, and how 5000 come back to one at once.

python -m bench.streams                              some minutes
python -m bench.streams --rounds 1 --resumes 100     to see that it works

The same messages to connections that follow the subject, and to others that follow its stream. Then
the subject alone, without and with a stream that stores it and that somebody follows: plain
connections are not to be slower, but for what the nats-server has to do. At last many connect, each
for a subject of its own: with a plain request, and with a cursor behind which two messages are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack

from bench.load import Crowd, Publisher, payloads
from bench.of_stream import OfStream, Stored, StreamServer, variant
from bench.pairs import deliveries, row
from bench.targets import Gateway, NatsServer, Target

CONNECTIONS = (1, 10, 100, 500)
RESUMES, MISSED = 5000, 2


def fan_out(count: int, messages: int) -> Callable[[Target], float | None]:
    """Return what measures the deliveries a second to `count` connections."""
    numbered = [("bench", each) for each in payloads(messages)]

    def measure(target: Target) -> float | None:
        return deliveries(target, [["bench"]] * count, numbered)

    return measure


def resumes(server: StreamServer, gateway: Stored, count: int) -> list[str]:
    """Have many come at once, by plain requests and by cursors; return rows of a table."""
    subjects = [f"bench.{n}" for n in range(count)]
    resuming = variant(OfStream, gateway, "by cursor", server)
    resuming.cursor = server.end()
    publisher = Publisher(server.port)
    publisher.socket.sendall(
        b"".join(gateway.command(each, b"1") for each in subjects for _ in range(MISSED))
    )
    server.end()
    publisher.close()
    lines = []
    for target in (gateway, resuming):
        before, cpu = target.counters(), target.ps.cpu_times()
        with Crowd(target, [[each] for each in subjects]) as crowd:
            after, used = target.counters(), target.ps.cpu_times()
        grown = {name: after[name] - before.get(name, 0) for name in after}
        missed = MISSED * count if target is resuming else 0
        if grown["history_messages"] != missed:
            raise RuntimeError(f"{missed} messages were missed, {grown['history_messages']} came")
        seconds = used.user + used.system - cpu.user - cpu.system
        reads = grown["history_reads"]
        lines.append(f"| {target.name} | {crowd.seconds:.2f} s | {seconds:.2f} s | {reads} |")
    return lines


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(prog="bench.streams", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured")
    parser.add_argument("--resumes", type=int, default=RESUMES, help="how many come back at once")
    options = parser.parse_args()
    with ExitStack() as stack:
        server, without = StreamServer(), NatsServer()
        stack.callback(server.stop)
        stack.callback(without.stop)
        process, alone = Gateway("plain", server), Gateway("without a stream", without)
        stack.callback(process.stop)
        stack.callback(alone.stop)
        time.sleep(1)  # until the gateways are connected to NATS
        gateway = variant(Stored, process, "plain", server)
        followed = variant(OfStream, process, "of the stream", server)
        print("| connections | plain | of the stream | ratio | rounds |\n|---|---|---|---|---|")
        for count in CONNECTIONS:
            measure = fan_out(count, min(50_000, 2_000_000 // count))
            print(row(str(count), gateway, followed, measure, options.rounds), flush=True)
        with Crowd(followed, [["quiet"]]):
            measure = fan_out(100, 20_000)
            print("\n| connections | no stream | beside a stream | ratio | rounds |")
            print("|---|---|---|---|---|")
            print(row("100", alone, gateway, measure, options.rounds), flush=True)
        print(f"\n| {options.resumes} come | took | CPU of the gateway | reads of JetStream |")
        print("|---|---|---|---|")
        print(*resumes(server, gateway, options.resumes), sep="\n", flush=True)


if __name__ == "__main__":
    main()
