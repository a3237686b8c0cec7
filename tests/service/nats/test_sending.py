"""Messages published for others at a real nats-server: what is known of each, and their answers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bridge.nats_link import sending
from bridge.nats_link.client import NATSLink
from bridge.wire.subjects import INBOXES
from tests.support.linked import Tap, back, follows, linked
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer, eventually, running

USER = "authorization {{ users: [{{user: u, password: p, permissions: {{{}}}}}] }}"


class Message:
    """Notes what becomes of it."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.reply = ""
        self.told: list[str] = []
        self.answers: list[tuple[bytes, bytes]] = []

    def sent(self) -> None:
        self.told.append("sent")

    def denied(self, *, inbox: bool = False) -> None:
        self.told.append("no inbox" if inbox else "denied")

    def lost(self) -> None:
        self.told.append("lost")

    def answer(self, payload: bytes, headers: bytes) -> None:
        self.answers.append((payload, headers))


def send(
    link: NATSLink, *subjects: str, asks: bool = False, payload: bytes = b"x"
) -> list[Message]:
    """Send a message to each subject, in one turn of the event loop."""
    messages = [Message(each) for each in subjects]
    for message in messages:
        if asks:
            link.sending.answers.expect(message)
        link.sending.send(message, payload)
    return messages


async def settled(messages: list[Message]) -> list[str]:
    """Return what each was told, once and only once."""
    await eventually(lambda: all(each.told for each in messages))
    assert all(len(each.told) == 1 for each in messages)
    return [each.told[0] for each in messages]


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Return what starts a server of one's own."""
    return lambda config="": running(NatsServer(tmp_path, config))


async def test_all_that_is_sent_in_one_turn_is_confirmed_by_one_ping(
    nats_server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with linked(nats_server.url) as link:
        tap = Tap("send.*")
        await link.subscribe_all([tap])
        pings = []
        queue = NATSLink.queue_ping
        monkeypatch.setattr(NATSLink, "queue_ping", lambda *it: pings.append(1) or queue(*it))
        messages = send(link, *(f"send.{number}" for number in range(1000)))
        round_trip = link.round_trip()
        await round_trip
        assert await settled(messages) == ["sent"] * 1000
        assert len(pings) == 1
        assert [subject for subject, _ in tap.heard] == [each.subject for each in messages]


@pytest.mark.parametrize("subject", ["no.a", 'no.a"b', "no.a\\b", "no.ü.\U0001f600", "no.\u2028`'"])
async def test_what_the_server_denies_is_told_to_that_message_alone(
    start: Any, subject: str
) -> None:
    with start(USER.format('publish: {deny: "no.>"}')) as server:
        async with linked(server.url) as link:
            tap = Tap(">")
            await link.subscribe_all([tap])
            asked = ["a", subject, "b", "no.z", subject, "c"]
            told = await settled(send(link, *asked))
            assert told == ["sent", "denied", "sent", "denied", "denied", "sent"]
            first, second = send(link, "a"), send(link, "no.a")
            assert await settled(first + second) == ["sent", "denied"]
            assert [each for each, _ in tap.heard] == ["a", "b", "c", "a"]


async def test_what_is_under_way_when_the_connection_is_lost_is_told_and_not_sent_again(
    start: Any,
) -> None:
    with start() as server:
        async with linked(server.url) as link:
            server.freeze()
            messages = send(link, "a", "b", "c")
            (asks,) = send(link, "d", asks=True)
            server.crash()
            assert await settled([*messages, asks]) == ["lost"] * 4
            await eventually(lambda: not link.is_connected)
            await asyncio.to_thread(server.start)
            await eventually(lambda: link.is_connected)
            tap = Tap(">")
            await link.subscribe_all([tap])
            await settled(send(link, "e"))
            assert [each for each, _ in tap.heard] == ["e"]
            assert link.sending._unconfirmed == 0


async def test_a_subject_that_is_too_long_for_the_server_costs_one_outage(start: Any) -> None:
    with start("max_control_line: 256\n") as server:
        async with linked(server.url) as link:
            messages = send(link, "short", "x" * 255)
            assert set(await settled(messages)) == {"lost"}
            await eventually(lambda: link.is_connected)
            assert link.sending.is_too_long("x" * 255)
            assert not link.sending.is_too_long("x" * 100)
            assert await settled(send(link, "x" * 100)) == ["sent"]


async def test_who_has_more_to_send_waits_for_room(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_UNCONFIRMED_BYTES", 1000)
    with start() as server:
        async with linked(server.url) as link:
            server.freeze()
            send(link, "a", payload=b"x" * 2000)
            waits = asyncio.create_task(link.sending.room())
            await asyncio.sleep(0.05)
            assert not waits.done()
            server.thaw()
            await asyncio.wait_for(waits, 10)


async def test_who_has_many_at_hand_leaves_turns_to_others(nats_server: NatsServer) -> None:
    async with linked(nats_server.url) as link:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        task = asyncio.create_task(others())
        messages = []
        for _ in range(1000):
            await link.sending.room()
            messages += send(link, "many")
        assert turns > 1000 // sending.MOST_A_TURN // 2
        task.cancel()
        assert await settled(messages) == ["sent"] * 1000


async def test_who_has_waited_for_longest_is_the_next_to_send(nats_server: NatsServer) -> None:
    count = 10 * sending.MOST_A_TURN
    async with linked(nats_server.url) as link:
        first: list[int] = []

        async def send_twice(number: int) -> None:
            await link.sending.room()
            first.append(number)
            await link.sending.room()

        tasks = [asyncio.create_task(send_twice(number)) for number in range(count)]
        await asyncio.sleep(0)
        left = set(range(sending.MOST_A_TURN, count, 3))
        for number in left:
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert first == [number for number in range(count) if number not in left]
        await asyncio.wait_for(link.sending.room(), 10)


# Answers


async def test_an_answer_comes_with_its_headers_to_whom_it_is_for(
    nats_server: NatsServer, raw_nats: RawNats
) -> None:
    async with linked(nats_server.url) as link:
        one, other = send(link, "ask.a", "ask.a", asks=True)
        await settled([one, other])
        assert one.reply != other.reply
        await eventually(lambda: one.answers and other.answers)
        nobody = [head.startswith(b"NATS/1.0 503") for _, head in one.answers + other.answers]
        assert nobody == [True, True]
        raw_nats.publish(one.reply, b"5", headers=b"NATS/1.0\r\na: b\r\n\r\n")
        raw_nats.publish(one.reply, b"6")
        await link.round_trip()
        assert one.answers[1:] == [(b"5", b"NATS/1.0\r\na: b\r\n\r\n"), (b"6", b"")]
        link.sending.answers.forget(one)
        raw_nats.publish(one.reply, b"late")
        raw_nats.publish(other.reply.rpartition(".")[0] + ".guessed", b"forged")
        await link.round_trip()
        assert (len(one.answers), len(other.answers)) == (3, 1)


async def test_there_is_one_subscription_and_only_where_answers_are_waited_for(start: Any) -> None:
    with start() as server:
        async with linked(server.url) as link:
            await settled(send(link, "a"))
            assert (follows(server), link.subscriptions) == ([], 0)
            await settled(send(link, "a", "b", asks=True))
            await settled(send(link, "c", asks=True))
            (pattern,) = follows(server)
            assert pattern.startswith(f"{INBOXES}.p.")
            assert link.subscriptions == 1
            await back(link, server, "")
            assert await settled(send(link, "a")) == ["sent"]
            assert follows(server) == [pattern]


async def test_without_a_right_to_be_answered_that_is_told_at_once(start: Any) -> None:
    forbidding = USER.format('subscribe: {deny: "_INBOX.>"}')
    with start(forbidding) as server:
        async with linked(server.url) as link:
            tap = Tap("a")
            await link.subscribe_all([tap])
            (asks,) = send(link, "a", asks=True)
            await eventually(lambda: asks.told)
            assert asks.told[0] == "no inbox"
            assert tap.refused == []
            link.sending.answers.forget(asks)
            await back(link, server, USER.format('subscribe: {deny: "x"}'))
            (asks,) = send(link, "nobody", asks=True)
            await eventually(lambda: asks.answers)
