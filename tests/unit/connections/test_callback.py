"""The tutorial's callback: one message at a time, bounded, and free to fail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.connections.callback import MESSAGE_OVERHEAD_BYTES, Callback
from bridge.wire.envelope import Message

MESSAGES = [Message("a", b"%d" % number) for number in range(5)]


class Subscriber:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.missed = self.failed = self.lost = 0

    async def send_str(self, text: str) -> None:
        self.texts.append(text)

    def miss(self, count: int) -> None:
        self.missed += count

    def fail(self) -> None:
        self.failed += 1

    def lose(self, count: int) -> None:
        self.lost += count


async def test_slow_callback_gets_messages_in_order_one_at_a_time() -> None:
    busy = 0

    async def callback(subscriber: Any, msg: Any) -> None:
        nonlocal busy
        busy += 1
        assert busy == 1
        await asyncio.sleep(0)
        await subscriber.send_str(str(msg.data))
        busy -= 1

    subscriber = Subscriber()
    deliver = Callback(callback, subscriber, 10_000)
    for message in MESSAGES:
        deliver(message)
    async with asyncio.timeout(5):
        while len(subscriber.texts) < 5:
            await asyncio.sleep(0)
    assert subscriber.texts == ["0", "1", "2", "3", "4"]


async def test_messages_beyond_what_may_wait_are_dropped() -> None:
    never = asyncio.Event()

    async def callback(subscriber: Any, msg: Any) -> None:
        await never.wait()

    subscriber = Subscriber()
    deliver = Callback(callback, subscriber, 2 * MESSAGE_OVERHEAD_BYTES)
    for message in MESSAGES:
        deliver(message)
    assert subscriber.missed == 3
    for _ in range(100):
        deliver(Message("a", b""))
    assert (subscriber.missed, deliver.waiting) == (103, 2)
    deliver.stop()
    deliver.stop()
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
    deliver(MESSAGES[0])
    assert (subscriber.missed, subscriber.lost, deliver.waiting) == (103, 3, 0)


@pytest.mark.parametrize("kind", ["async", "returns a coroutine", "fails as it is stopped"])
async def test_each_message_waits_or_is_lost_also_the_one_in_progress(kind: str) -> None:
    entered, never = asyncio.Event(), asyncio.Event()

    async def callback(subscriber: Any, msg: Any) -> None:
        entered.set()
        try:
            await never.wait()
        finally:
            if kind == "fails as it is stopped":
                raise ValueError("planted")

    subscriber = Subscriber()
    plain = kind == "returns a coroutine"
    deliver = Callback((lambda *its: callback(*its)) if plain else callback, subscriber, 10_000)
    for message in MESSAGES:
        deliver(message)
    try:
        assert deliver.waiting == 5
        await entered.wait()
        assert deliver.waiting == 5
    finally:
        deliver.stop()
    assert (subscriber.lost, deliver.waiting) == (5, 0)
    await asyncio.sleep(0)
    assert (subscriber.lost, subscriber.missed, subscriber.failed) == (5, 0, 0)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_a_failing_callback_is_logged_and_the_next_message_comes(
    asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    seen = []

    async def later(subscriber: Any, msg: Any) -> None:
        at_once(subscriber, msg)

    def at_once(subscriber: Any, msg: Any) -> None:
        seen.append(msg.data)
        raise ValueError("planted")

    subscriber = Subscriber()
    deliver = Callback(later if asynchronous else at_once, subscriber, 10_000)
    for message in MESSAGES:
        deliver(message)
    async with asyncio.timeout(5):
        while len(seen) < 5:
            await asyncio.sleep(0)
    assert seen == [0, 1, 2, 3, 4]
    assert "planted" in caplog.text
    await asyncio.sleep(0)
    assert (subscriber.failed, subscriber.missed, deliver.waiting) == (5, 0, 0)


@pytest.mark.parametrize("kind", ["async", "plain", "lambda"])
async def test_what_the_program_has_cancelled_itself_costs_that_message_alone(kind: str) -> None:
    async def waits(subscriber: Any, msg: Any) -> None:
        if msg.data == 1:
            other = asyncio.get_running_loop().create_future()
            other.cancel()
            await other
        await subscriber.send_str(str(msg.data))

    def plain(subscriber: Any, msg: Any) -> None:
        if msg.data == 1:
            raise asyncio.CancelledError
        subscriber.texts.append(str(msg.data))

    subscriber = Subscriber()
    kinds = {"async": waits, "plain": plain, "lambda": lambda *given: waits(*given)}
    deliver = Callback(kinds[kind], subscriber, 10_000)
    for message in MESSAGES:
        deliver(message)
    async with asyncio.timeout(5):
        while len(subscriber.texts) < 4:
            await asyncio.sleep(0)
    assert subscriber.texts == ["0", "2", "3", "4"]
    assert (subscriber.failed, deliver.waiting) == (1, 0)


async def test_who_cancels_the_task_itself_ends_it() -> None:
    begun = 0

    async def callback(subscriber: Any, msg: Any) -> None:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()

    deliver = Callback(callback, Subscriber(), 10_000)
    for message in MESSAGES:
        deliver(message)
    await asyncio.sleep(0)
    (task,) = asyncio.all_tasks() - {asyncio.current_task()}
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert begun == 1
