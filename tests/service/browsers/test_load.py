"""The runs under load in small: they go through, and find what is planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.churn import Churn
from tests.soak.idle import Idle
from tests.soak.outcome import Outcome, Progress
from tests.soak.storm import BLOWS, Storm

pytestmark = pytest.mark.load


async def done(run: Idle | Churn | Storm, folder: Path) -> Outcome:
    with Progress("test") as progress:
        return await run.run(folder, progress)


def found(outcome: Outcome) -> set[str]:
    """Return what the broken promises are about."""
    return {each.split(":")[0] for each in outcome.broken}


@pytest.mark.timing
async def test_idle_connections_are_held_and_messages_reach_them(tmp_path: Path) -> None:
    outcome = await done(Idle(200, 20, seconds=2, between=0.5), tmp_path)
    assert outcome.broken == []


@pytest.mark.timing
async def test_the_idle_run_finds_what_is_lost_late_or_too_large(tmp_path: Path) -> None:
    program = "tests/programs/that_is_heavy.py"
    outcome = await done(Idle(200, 20, 3, between=1, program=program, reached=1), tmp_path)
    assert found(outcome) == {
        "refused or not acknowledged",
        "held for 3 s",
        "memory of the gateway at its worst",
        "got every message once",
        "until a message was with all",
        "`/livez` but for waiting for a core",
    }


@pytest.mark.timing
async def test_nothing_is_left_of_connections_that_break_off(tmp_path: Path) -> None:
    outcome = await done(Churn(500, warm_up=200, memory=0.5), tmp_path)
    assert outcome.broken == []


async def test_the_churn_finds_what_is_left(tmp_path: Path) -> None:
    program = "tests/programs/that_leaks.py"
    run = Churn(500, warm_up=200, memory=0.5, program=program, patience=1)
    outcome = await done(run, tmp_path)
    assert found(outcome) >= {
        "did not come as far as they were to",
        "subscriptions at the end",
        "tasks at the end",
        "descriptors at the end",
        "memory at the end",
        "lost, twice or out of order there",
    }


@pytest.mark.timing
@pytest.mark.parametrize("blow", BLOWS[:2], ids=lambda blow: blow.name)
async def test_everybody_comes_back_to_a_gateway_that_was_lost(
    tmp_path: Path, blow: object
) -> None:
    outcome = await done(Storm(100, 10, [blow]), tmp_path)
    assert outcome.broken == []


async def test_the_storm_finds_who_is_late_or_cut(tmp_path: Path) -> None:
    program = "tests/programs/that_is_slow.py"
    run = Storm(40, 4, BLOWS[:1], all_back=4, program=program, patience=1)
    assert found(await done(run, tmp_path)) >= {
        "killed, are back",
        "killed, back after",
        "killed, response after",
        "killed, taken and cut",
        "killed, get messages",
    }
