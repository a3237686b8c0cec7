"""How often JetStream is asked for one who wants to know much."""

from __future__ import annotations

import asyncio
import gc

from bridge.history.pace import Pace, Paces

NEVER = 1e-9
"""A rate."""


class Asker:
    """Somebody."""


async def turns(pace: Pace, wanted: int) -> int:
    """Want that many turns; return how many come at once."""
    tasks = [asyncio.create_task(pace.turn()) for _ in range(wanted)]
    for _ in range(100):
        await asyncio.sleep(0)
    came = sum(each.done() for each in tasks)
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return came


async def test_so_many_go_on_at_once_and_the_others_wait() -> None:
    assert await turns(Pace(NEVER, 3), 10) == 3


async def test_who_waits_has_a_turn_when_it_is_due() -> None:
    pace = Pace(1000, 1)
    await asyncio.gather(*(pace.turn() for _ in range(5)))


async def test_one_who_has_given_up_holds_up_nobody() -> None:
    pace = Pace(NEVER, 1)
    assert await turns(pace, 2) == 1
    assert not pace._line.locked()


async def test_each_asker_has_a_pace_of_its_own_while_it_is_there() -> None:
    paces, one, other = Paces(), Asker(), Asker()
    assert paces.of(one) is paces.of(one) is not paces.of(other)
    del one, other
    gc.collect()
    assert not paces._paces
