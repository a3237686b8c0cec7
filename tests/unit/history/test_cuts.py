"""Those who are too far behind at the same place share what is counted."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.history import cuts
from bridge.history.cuts import Cuts
from bridge.history.errors import UnansweredError
from bridge.history.starts import Start

TAIL: Any = SimpleNamespace(stream="S", epoch="e")


class Starts:
    """Counts when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.may_answer = asyncio.Event()
        self.error: UnansweredError | None = None

    async def find(self, tail: Any, patterns: Any, wish: Any) -> Start:
        (cursor,) = wish.cursors
        self.asked.append((str(cursor), patterns))
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        reason = "too_many" if cursor.sequence < 10 else None
        return Start(dict.fromkeys(patterns, 90), 10, reason)  # type: ignore[arg-type]


async def test_they_ask_once_and_no_other_place_is_taken_for_theirs() -> None:
    starts: Any = Starts()
    found = Cuts(starts)
    many = [
        asyncio.create_task(found.find(TAIL, each, 7)) for each in (["a", "b"], ["b", "a"]) * 50
    ]
    other = asyncio.create_task(found.find(TAIL, ["a"], 7))
    near = asyncio.create_task(found.find(TAIL, ["a"], 10))
    await asyncio.sleep(0)
    many.pop(0).cancel()
    starts.may_answer.set()
    assert await asyncio.gather(*many) == [{"a": 90, "b": 90}] * 99
    assert (await other, await near) == ({"a": 90}, None)
    assert await found.find(TAIL, ["a"], 7) == {"a": 90}
    assert starts.asked == [("S.e.7", ("a", "b")), ("S.e.7", ("a",)), ("S.e.10", ("a",))]


async def test_a_count_that_failed_or_is_old_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts, "KEPT_SECONDS", 0.01)
    starts: Any = Starts()
    starts.may_answer.set()
    found = Cuts(starts)
    starts.error = UnansweredError("JetStream is away")
    for _ in range(2):
        with pytest.raises(UnansweredError):
            await found.find(TAIL, ["a"], 7)
        await asyncio.sleep(0)
    starts.error = None
    for _ in range(2):
        assert await found.find(TAIL, ["a"], 7) == {"a": 90}
        async with asyncio.timeout(10):
            while found._counts:
                await asyncio.sleep(0.01)
    assert len(starts.asked) == 4
