"""Which stream a pattern is of: how often that is asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.history import asked, streams
from bridge.history.errors import (
    HistoryError,
    NoHistoryError,
    NoJetStreamError,
    NotPermittedError,
    UnansweredError,
)
from bridge.history.streams import Streams


class Refusing:
    """A JetStream that answers everybody the same."""

    def __init__(self, error: HistoryError) -> None:
        self.asked = 0
        self._error = error

    async def ask(self, what: str, body: Any = None, seconds: float = 1) -> dict[str, Any]:
        self.asked += 1
        raise self._error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoJetStreamError("nobody answers"), "no_jetstream"),
        (NotPermittedError("$JS.API.STREAM.NAMES"), "not_permitted"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_holds_for_every_pattern_is_asked_once_in_a_while(
    error: HistoryError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    js: Any = Refusing(error)
    it = Streams(js)
    for number in range(100):
        with pytest.raises(NoHistoryError) as refused:
            await it.find(f"a.{number}")
        assert refused.value.reason == reason
    assert js.asked == 1
    monkeypatch.setattr(asked, "KEPT_SECONDS", -1)
    monkeypatch.setattr(streams, "KEPT_SECONDS", -1)
    with pytest.raises(NoHistoryError):
        await it.find("a.0")
    assert js.asked == 2


class Slow:
    """A JetStream without streams, that answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def ask(self, what: str, body: Any = None, seconds: float = 1) -> dict[str, Any]:
        self.asked += 1
        await self.may_answer.wait()
        return {"streams": None}


async def looked_for(js: Any, count: int) -> list[asyncio.Task[Any]]:
    """Look for patterns that differ, as far as that goes at once."""
    it = Streams(js)
    looking = [asyncio.create_task(it.find(f"a.{number}")) for number in range(count)]
    for _ in range(50 * count):
        await asyncio.sleep(0)
    return looking


async def test_few_patterns_are_looked_for_at_a_time() -> None:
    js: Any = Slow()
    looking = await looked_for(js, 10)
    assert js.asked == streams.MAX_LOOKED_FOR
    js.may_answer.set()
    await asyncio.gather(*looking, return_exceptions=True)
    assert js.asked == 10


async def test_the_gateway_looks_for_so_many_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOKED_FOR_PER_SECOND", 1e-9)
    monkeypatch.setattr(streams, "LOOKED_FOR_AT_ONCE", 5)
    js: Any = Slow()
    js.may_answer.set()
    looking = await looked_for(js, 20)
    assert js.asked == 5
    for each in looking:
        each.cancel()


async def test_who_waits_for_others_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PATIENCE_SECONDS", 0.01)
    js: Any = Slow()
    looking = await looked_for(js, 10)
    asking, waiting = looking[: streams.MAX_LOOKED_FOR], looking[streams.MAX_LOOKED_FOR :]
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in told} == {UnansweredError}
    assert len(asking) == js.asked
    js.may_answer.set()
    await asyncio.gather(*asking, return_exceptions=True)
