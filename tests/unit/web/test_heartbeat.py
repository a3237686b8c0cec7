"""Pings for those who are silent, on a clock made for it."""

from __future__ import annotations

import asyncio
import weakref

import pytest

from bridge.web import heartbeat
from bridge.web.heartbeat import PING_INTERVAL_SECONDS, Heartbeat


class Browser:
    """A connection that answers a ping, or does not."""

    def __init__(self, now: float, *, answers: bool = True) -> None:
        self.heard = now
        self.pings: list[float] = []
        self.cut_at: float | None = None
        self._answers = answers

    def send_ping(self) -> None:
        now = asyncio.get_running_loop().time()
        self.pings.append(now)
        if self._answers:
            self.heard = now + 0.001

    def abort(self) -> None:
        self.cut_at = asyncio.get_running_loop().time()


class Clock:
    """The event loop's time, which passes when the heartbeat sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.end = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)
        monkeypatch.setattr(heartbeat.asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self.end:
            raise asyncio.CancelledError

    async def run(self, it: Heartbeat, seconds: float) -> None:
        self.end = self.now + seconds
        with pytest.raises(asyncio.CancelledError):
            await it.run()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def test_a_browser_that_answers_is_pinged_again_and_again_and_stays(clock: Clock) -> None:
    it, browser = Heartbeat(), Browser(clock.now)
    it.add(browser)
    await clock.run(it, 10 * PING_INTERVAL_SECONDS)
    assert 8 <= len(browser.pings) <= 10
    assert browser.cut_at is None


async def test_one_that_does_not_answer_is_cut_after_one_and_a_half_intervals(
    clock: Clock,
) -> None:
    it, silent, begun = Heartbeat(), Browser(clock.now, answers=False), clock.now
    it.add(silent)
    await clock.run(it, 3 * PING_INTERVAL_SECONDS)
    assert len(silent.pings) == 1
    assert silent.cut_at is not None
    assert 1.5 <= (silent.cut_at - begun) / PING_INTERVAL_SECONDS <= 1.8


async def test_one_that_says_something_in_time_is_not_pinged(clock: Clock) -> None:
    it, talks = Heartbeat(), Browser(clock.now, answers=False)
    it.add(talks)
    for _ in range(20):
        await clock.run(it, 0.8 * PING_INTERVAL_SECONDS)
        talks.heard = clock.now
    assert (talks.pings, talks.cut_at) == ([], None)


async def test_one_that_has_left_is_let_go_of_also_while_others_are_looked_at(
    clock: Clock,
) -> None:
    it = Heartbeat()
    later = Browser(clock.now, answers=False)

    class Leaving(Browser):
        def send_ping(self) -> None:
            it.discard(later)
            it.discard(later)

    it.add(Leaving(clock.now))
    it.add(later)
    await clock.run(it, 1.2 * PING_INTERVAL_SECONDS)
    assert later.pings == []


async def test_one_that_cannot_be_pinged_costs_the_others_nothing(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    it, other = Heartbeat(), Browser(clock.now)

    class Failing(Browser):
        def send_ping(self) -> None:
            raise RuntimeError("planted")

    it.add(Failing(clock.now))
    it.add(other)
    await clock.run(it, 5 * PING_INTERVAL_SECONDS)
    assert len(other.pings) >= 3
    assert [each.event for each in caplog.records] == ["background_failed"]  # type: ignore[attr-defined]


async def test_one_that_was_looked_at_last_is_not_held_while_nobody_is_looked_at() -> None:
    it, browser = Heartbeat(0.001), Browser(asyncio.get_running_loop().time())
    held = weakref.ref(browser)
    it.add(browser)
    task = asyncio.create_task(it.run())
    async with asyncio.timeout(10):
        while not browser.pings:
            await asyncio.sleep(0.001)
    it.discard(browser)
    del browser
    assert held() is None
    task.cancel()
