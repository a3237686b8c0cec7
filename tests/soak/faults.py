"""The faults of the long run: each is begun, ended, and says how long it was felt."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.soak.crowd import BURST, Crowd, Member, reached
from tests.soak.publisher import Publisher
from tests.soak.reader import Reader
from tests.support.proxy import Proxy
from tests.support.servers import PATIENCE, Gateway, NatsServer

CRASH_NOTICED = 1.0
SILENCE_NOTICED = 6.0
FLOWS_AGAIN = 6.0
STALLED_CUT = 7.0
"""Seconds: 5 of `WRITE_TIMEOUT`, and what it takes to fill the buffers and to look."""
DROPS_TOLD = 2.0
"""Seconds: half of what is pending has to be taken first, and the watch looks twice a second."""
LONGEST_AWAY = 3.0
"""Seconds an outage goes on, at most, after everybody was told."""
LONGEST_PAUSE = 1.5
BURST_MESSAGES, BURST_SIZE, BURST_SECONDS = 300, 16384, 1.5
"""Nearly 5 MB: more than a connection may hold."""
NOT_YET_STALLED = 4.0
"""Seconds after which a browser that reads nothing is no longer just slow."""
KILLED_AT_ONCE = 20
STALLED = 'connections_closed_total{reason="stalled"}'
LOST = 'connections_closed_total{reason="lost"}'
TAILS_ENDED = 45.0
"""Seconds after which no stream is followed any more: it lingers for 30."""


@dataclass
class World:
    """Everything that can fail, and who sees it. The gateway reaches the server by the proxy."""

    server: NatsServer
    proxy: Proxy
    gateway: Gateway
    crowd: Crowd
    publishers: dict[str, Publisher]
    chance: Random

    async def figure(self, name: str) -> float:
        return (await asyncio.to_thread(self.gateway.figures))[f"bridge_{name}"]

    async def counted(
        self, name: str, holds: Callable[[float], bool], within: float = PATIENCE
    ) -> bool:
        """Wait until a figure of the gateway is as wanted; return whether it came to that."""
        deadline = time.monotonic() + within
        while not (there := holds(await self.figure(name))) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return there


@dataclass(frozen=True)
class Cost:
    """Seconds until everybody concerned was told, and until messages flowed; None for never."""

    told: float | None
    flowing: float | None


@dataclass(frozen=True)
class Fault:
    """A kind of fault, and what is promised of it, in seconds."""

    name: str
    strike: Callable[[World], Awaitable[Cost | None]]
    told_within: float = CRASH_NOTICED
    flowing_within: float = FLOWS_AGAIN

    def broken(self, cost: Cost) -> list[str]:
        """Return which promises were not kept."""
        pairs = [
            ("told", cost.told, self.told_within),
            ("flowing", cost.flowing, self.flowing_within),
        ]
        return [
            f"{self.name}: {what} after {_shown(seconds)}, promised are {limit:g} s"
            for what, seconds, limit in pairs
            if seconds is None or seconds > limit
        ]


def _shown(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.2f} s"


class Watch:
    """Measures from its making until something holds."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    async def until(self, condition: Callable[[], bool]) -> float | None:
        """Return after how many seconds `condition` held; None if it never did."""
        return self.now() if await reached(condition, PATIENCE) else None

    def now(self) -> float:
        return time.monotonic() - self._begun


async def _outage(
    world: World, begin: Callable[[], None], end: Callable[[], None] | None = None
) -> Cost:
    """Begin an outage, end it some time after all were told, wait until messages flow to all.

    Told: from the beginning. Flowing: from when all were told and it is over.
    """
    members, begun = world.crowd.members, time.monotonic()
    await asyncio.to_thread(begin)
    all_told = await reached(lambda: all(each.told_at > begun for each in members), PATIENCE)
    told = max(each.told_at for each in members) - begun if all_told else None
    if end is not None:
        await asyncio.sleep(world.chance.uniform(0, LONGEST_AWAY))
        await asyncio.to_thread(end)
    flowing = await Watch().until(
        lambda: all(each.flowed_at > each.told_at > begun for each in members)
    )
    return Cost(told, flowing)


async def killed(world: World) -> Cost:
    return await _outage(world, world.server.stop, world.server.start)


async def restarted(world: World) -> Cost:
    def restart() -> None:
        world.server.stop()
        world.server.start()

    return await _outage(world, restart)


async def frozen(world: World) -> Cost:
    return await _outage(world, world.server.freeze, world.server.thaw)


async def reset(world: World) -> Cost:
    return await _outage(world, world.proxy.reset)


async def black_hole(world: World) -> Cost:
    return await _outage(world, world.proxy.black_hole, world.proxy.heal)


async def half_open(world: World) -> Cost:
    return await _outage(world, world.proxy.half_open)


async def _stop_reading(world: World) -> tuple[Member, Reader]:
    """Have a browser of each kind read nothing while more comes than the gateway holds for it."""
    member, reader = world.crowd.one()
    member.stop_reading()
    reader.stop_reading()
    await world.publishers[BURST].burst(BURST_MESSAGES, BURST_SIZE, BURST_SECONDS)
    return member, reader


async def slow(world: World) -> Cost | None:
    """Told: from when it reads on. Flowing: it has got what was published after that.

    None if this machine was so busy that it read on too late.
    """
    begun = time.monotonic()
    member, reader = await _stop_reading(world)
    await asyncio.sleep(world.chance.uniform(0, LONGEST_PAUSE))
    latest = world.publishers[BURST].numbers.next
    watch = Watch()
    if time.monotonic() - begun > NOT_YET_STALLED:
        reader.kill()
        await world.crowd.lose(member)
        return None
    member.read_on()
    reader.read_on()
    told = await watch.until(lambda: member.dropped_at > begun)
    return Cost(told, await watch.until(lambda: member.checker.is_past(BURST, latest)))


async def stalled(world: World) -> Cost:
    """Told: the gateway has cut it. Flowing: another has come in its place."""
    cut = await world.figure(STALLED)
    watch = Watch()
    member, reader = await _stop_reading(world)
    noticed = await world.counted(STALLED, lambda n: n >= cut + 2)
    told = watch.now() if noticed else None
    coming = Watch()
    reader.kill()
    await world.crowd.lose(member)
    return Cost(told, coming.now())


async def vanished(world: World) -> Cost:
    """Told: the gateway has noticed. Flowing: as many others have come in their place."""
    gone = world.crowd.some(KILLED_AT_ONCE)
    all_gone = [*gone, *world.crowd.some_readers(KILLED_AT_ONCE)]
    lost = await world.figure(LOST) + len(all_gone)
    watch = Watch()
    for each in all_gone:
        each.kill()
    noticed = await world.counted(LOST, lambda n: n >= lost)
    told = watch.now() if noticed else None
    coming = Watch()
    await world.crowd.lose(*gone)
    return Cost(told, coming.now())


FAULTS = [
    Fault("server killed", killed),
    Fault("server restarted", restarted),
    Fault("server frozen", frozen, SILENCE_NOTICED),
    Fault("connection reset", reset),
    Fault("black hole", black_hole, SILENCE_NOTICED),
    Fault("half-open", half_open, SILENCE_NOTICED),
    Fault("slow browser", slow, DROPS_TOLD),
    Fault("stalled browser", stalled, STALLED_CUT),
    Fault("browsers killed", vanished),
]
