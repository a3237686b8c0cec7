"""Runs the gateway through one fault after another, and checks what every browser gets.

The faults, the patterns and who is hit follow from a seed, which is printed: with it a run can be
had again.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.soak.crowd import HOLDERS, STREAM, SUBJECTS, Crowd, reached
from tests.soak.faults import FAULTS, TAILS_ENDED, Fault, World
from tests.soak.publisher import Publisher
from tests.soak.report import Base, Report
from tests.support.jetstream import jetstream, make_stream, plain_client
from tests.support.proxy import Proxy
from tests.support.servers import PATIENCE, Gateway, NatsServer, running

EVERY = 0.05
"""Seconds between two messages of a subject."""
BEFORE_THE_NEXT = 1.0
"""Seconds there are at least between two faults."""

MOST_SHOWN = 5
"""Broken promises that are shown after one fault; the report has more."""


@contextmanager
def world(folder: Path, browsers: int, seed: int) -> Iterator[World]:
    """Start a server, a proxy before it, and a gateway that knows only the proxy."""
    tokens = folder / "tokens"
    tokens.write_text("\n".join(json.dumps(each) for each in HOLDERS))
    settings: dict[str, object] = {"log": folder / "gateway.log", "tokens_file": tokens}
    store = folder / "jetstream"
    with (
        running(NatsServer(folder, jetstream(store))) as server,
        running(Proxy(server.port)) as proxy,
    ):
        with running(Gateway(proxy.url, **settings)) as gateway:
            chance = Random(seed)
            publishers = {each: Publisher(each, server.port, EVERY) for each in SUBJECTS}
            numbers = {subject: each.numbers for subject, each in publishers.items()}
            crowd = Crowd(gateway.stream, browsers, numbers, chance)
            yield World(server, proxy, gateway, crowd, publishers, chance)


def in_turn(chance: Random) -> Iterator[Fault]:
    """Yield faults for ever, each kind equally often."""
    while True:
        yield from chance.sample(FAULTS, len(FAULTS))


async def settle(world: World) -> Base:
    """Have every browser leave, with all that it is due; return what the gateway then holds."""
    publishers = world.publishers.values()
    for publisher in publishers:
        publisher.paused = True
    await reached(lambda: all(each.numbers.all_confirmed for each in publishers), PATIENCE)
    await world.crowd.compare(world.server)
    await world.crowd.part()
    await world.counted("connections", lambda number: number == 0)
    await world.counted("history_streams", lambda number: number == 0, TAILS_ENDED)
    await reached(lambda: not world.server.subscriptions(), PATIENCE)
    await asyncio.sleep(BEFORE_THE_NEXT)  # sockets of the last looks at it are closed by then
    return await asyncio.to_thread(Base.of, world.gateway, world.server)


async def begin(world: World) -> None:
    """Have messages flow to every browser."""
    for publisher in world.publishers.values():
        publisher.paused = False
    await world.crowd.fill()


async def strike(world: World, report: Report, fault: Fault) -> str:
    """Let a fault happen; return a line that says what it cost and what went wrong."""
    violations = world.crowd.findings.violations
    before = len(violations)
    line = report.add(fault, await fault.strike(world))
    await world.crowd.fill()
    await world.crowd.compare(world.server)
    return "\n".join([line, *violations[before:][:MOST_SHOWN]])


async def soak(world: World, seconds: float, every: float) -> tuple[bool, bool]:
    """Warm up, let faults happen for so long, and report.

    Returns whether every promise was kept, and whether it was stopped by Ctrl-C.
    """
    async with plain_client(world.server) as client:
        await make_stream(client, STREAM, ["soak.>"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    publishing = [asyncio.create_task(each.run()) for each in world.publishers.values()]
    print("warming up: each kind of fault once", flush=True)
    await begin(world)
    for fault in FAULTS:
        if not stop.is_set():
            print(f"       {await strike(world, Report(), fault)}", flush=True)
    base = await settle(world)
    report = Report()
    await begin(world)
    begun, faults = time.monotonic(), in_turn(world.chance)
    while (passed := time.monotonic() - begun) < seconds and not stop.is_set():
        line = await strike(world, report, next(faults))
        print(f"{int(passed / 60):3}:{int(passed % 60):02} {line}", flush=True)
        rest = max(report.faults * every - (time.monotonic() - begun), BEFORE_THE_NEXT)
        await reached(stop.is_set, rest)
    end = await settle(world)
    report.broken += end.grown(base)
    passed = time.monotonic() - begun
    print(f"\n{report.faults} faults in {passed / 60:.1f} minutes, {report.void} not measured\n")
    account = report.account(await asyncio.to_thread(world.gateway.figures))
    print(*report.table(), "", *end.table(base), "", account, sep="\n")
    print(*report.verdict(world.crowd), sep="\n", flush=True)
    for task in publishing:
        task.cancel()
    return not (report.broken or world.crowd.findings.violations), stop.is_set()


def run(minutes: float, browsers: int, every: float, seed: int) -> bool:
    """Let a fault happen each `every` seconds; return whether every promise was kept.

    Ctrl-C ends it, and the program, with what was found so far.
    """
    print(f"seed {seed}, {browsers} browsers, {minutes:g} minutes", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    with world(folder, browsers, seed) as everything:
        kept, stopped = asyncio.run(soak(everything, minutes * 60, every))
    if kept:
        shutil.rmtree(folder)
    else:
        print(f"the log of the gateway is in {folder}")
    if stopped:
        sys.exit(not kept)
    return kept
