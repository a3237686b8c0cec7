"""Which SUBs the server is asked for, when, and who is blamed for what it says; no real server."""

from __future__ import annotations

import asyncio

import pytest
from nats import errors

from bridge.nats_link import subscriptions
from tests.unit.nats_link.fake_server import Server, followed, running, taps


async def test_all_who_ask_in_one_turn_share_one_ping() -> None:
    server = Server()
    async with running(server), asyncio.TaskGroup() as group:
        group.create_task(server.subs.subscribe_all(taps("a", "b")))
        group.create_task(server.subs.round_trip())
        group.create_task(server.subs.subscribe_all(taps("c")))
    assert server.asked == ["a", "b", "c", "PING"]
    async with running(server):
        assert await server.subs.subscribe_all(taps("d", "e")) == [4, 5]
    assert server.asked[4:] == ["d", "e", "PING"]


async def test_all_subs_are_queued_before_anything_is_waited_for() -> None:
    server = Server()
    asking = server.subs.subscribe_all(taps("a", "b"))
    asking.send(None)
    server.answer()
    assert server.asked == ["a", "b"]
    asking.close()


@pytest.mark.parametrize("unread", [1000, 0], ids=["slow", "silent"])
async def test_slow_is_not_silent(unread: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "ANSWER_TIMEOUT_SECONDS", 0.01)
    server = Server()
    asking = asyncio.create_task(server.subs.subscribe_all(taps("a")))
    for _ in range(5):
        await asyncio.sleep(0.005)
        server.counters.received_bytes += unread  # the PONG is behind it
    await asyncio.wait({asking}, timeout=0 if unread else None)
    assert asking.done() is not bool(unread)
    server.answer()
    if unread:
        assert await asking == [1]
    else:
        with pytest.raises(TimeoutError):
            await asking


async def test_nothing_to_subscribe_is_nothing_to_wait_for() -> None:
    assert await Server().subs.subscribe_all([]) == []


@pytest.mark.parametrize("pattern", ["", "a b", "a\r\nPUB x 0", "a\t"])
async def test_what_would_break_the_protocol_is_not_sent(pattern: str) -> None:
    server = Server()
    with pytest.raises(errors.BadSubjectError):
        await server.subs.subscribe_all(taps("fine", pattern))
    server.answer()
    assert server.asked == []


async def test_only_who_is_named_is_refused() -> None:
    server = Server()
    server.denied = {"secret"}
    asked = taps("a", "secret", "b", "secret")
    async with running(server):
        sids = await server.subs.subscribe_all(asked)
    assert [tap.refused for tap in asked] == [[], ["denied"], [], ["denied"]]
    assert server.held == {sids[0]: "a", sids[2]: "b"}
    assert list(server.subs.taps) == [sids[0], sids[2]]
    assert server.asked.count("PING") == 1


@pytest.mark.parametrize("limit", range(6))
async def test_an_error_that_names_nobody_costs_nobody_else(limit: int) -> None:
    server = Server()
    server.limit = limit
    asked = taps(*"abcde")
    async with running(server):
        await server.subs.subscribe_all(asked)
    assert [tap.refused for tap in asked] == [[]] * limit + [["limit"]] * (5 - limit)
    assert [*server.held.values()] == [tap.pattern for tap in server.subs.taps.values()]
    assert len(server.held) == limit


async def test_nobody_is_asked_for_again_where_each_is_known_to_be_refused() -> None:
    server = Server()
    server.limit, server.denied = 0, {"secret"}
    asked = taps("a", "secret", "b")
    async with running(server):
        await server.subs.subscribe_all(asked)
    assert [tap.refused for tap in asked] == [["limit"], ["denied"], ["limit"]]
    assert server.asked == ["a", "secret", "b", "PING"]


async def test_an_unknown_name_is_found_out_by_asking_one_by_one() -> None:
    server = Server()
    server.denied, server.spelling = {"b", "d"}, lambda pattern: f"?{pattern}?"
    asked = taps(*"abcde")
    async with running(server):
        await server.subs.subscribe_all(asked)
    assert [tap.refused for tap in asked] == [[], ["denied"], [], ["denied"], []]
    assert sorted(server.held.values()) == ["a", "c", "e"]
    assert "".join(server.asked[5:]) == "PINGaPINGbPINGcPINGdPINGePING"


async def test_an_error_is_about_the_trip_whose_answer_is_next() -> None:
    """Also where one read has the answer to one trip and the error for the next."""
    server = Server()
    first = asyncio.create_task(server.subs.subscribe_all(one := taps("a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = asyncio.create_task(server.subs.subscribe_all(other := taps("b")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    server.denied, server.spelling = {"b"}, lambda pattern: "?"
    server.answer()
    await first
    await second
    assert (one[0].refused, other[0].refused) == ([], ["denied"])


async def test_an_error_about_who_gave_up_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "ANSWER_TIMEOUT_SECONDS", 0.01)
    server = Server()
    server.denied, server.spelling = {"late"}, lambda pattern: "?"
    with pytest.raises(TimeoutError):
        await server.subs.subscribe_all(taps("late"))
    assert server.subs.taps == {}
    asked = taps("a")
    async with running(server):
        await server.subs.subscribe_all(asked)
    assert asked[0].refused == []
    assert [*server.held.values()] == ["a"]


async def test_who_gives_up_takes_nobody_along() -> None:
    server = Server()
    gone = asyncio.create_task(server.subs.subscribe_all(taps("gone")))
    stays = asyncio.create_task(server.subs.subscribe_all(taps("stays")))
    await asyncio.sleep(0)
    gone.cancel()
    async with running(server):
        await stays
    assert [*server.held.values()] == ["stays"]


async def test_a_permission_taken_away_later_is_told() -> None:
    server = Server()
    asked = taps("a", "b", "c")
    async with running(server):
        sids = await server.subs.subscribe_all(asked)
    server.subs.refused("denied", "a", sids[0])
    server.subs.refused("denied", "b")
    server.subs.refused("denied", "who")
    server.subs.refused("limit")
    assert [tap.refused for tap in asked] == [["denied"], ["denied"], []]
    assert list(server.subs.taps) == [sids[2]]


async def test_unsubscribing_is_idempotent_and_takes_no_connection() -> None:
    server = Server()
    async with running(server):
        one, other = await server.subs.subscribe_all(taps("one", "other"))
    server.subs.unsubscribe(one)
    server.subs.unsubscribe(one)
    assert server._queued == [b"UNSUB %d\r\n" % one]
    server.lose()
    server.subs.unsubscribe(other)
    assert server.subs.taps == {}


async def test_a_loss_is_told_at_once_and_leaves_nothing_subscribed() -> None:
    server = Server()
    asking = asyncio.create_task(server.subs.subscribe_all(taps("a", "b")))
    trip = asyncio.create_task(server.subs.round_trip())
    await asyncio.sleep(0)
    server.lose()  # before the PING of this turn, even
    for task in (asking, trip):
        with pytest.raises(errors.ConnectionReconnectingError):
            await task
    with pytest.raises(errors.ConnectionReconnectingError):
        await server.subs.subscribe_all(taps("c"))
    with pytest.raises(errors.ConnectionReconnectingError):
        await server.subs.round_trip()
    assert server.subs.taps == {}


async def test_a_replay_has_a_ping_every_so_often_and_is_waited_for() -> None:
    server = Server()
    await followed(server, 250)
    server.reconnect()
    waiting = asyncio.create_task(server.subs.restored())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    server.answer()
    await waiting
    assert server.asked.count("PING") == 3
    assert len(server.held) == 250


@pytest.mark.parametrize("limit", [0, 1, 130, 200, 249])
async def test_nothing_stays_acknowledged_and_dead_after_a_reconnect(limit: int) -> None:
    server = Server()
    asked = await followed(server, 250)
    server.limit = limit
    server.reconnect()
    async with running(server):
        await server.subs.restored()
    assert sum(tap.refused == ["limit"] for tap in asked) == 250 - limit
    alive = {sid: tap.pattern for sid, tap in server.subs.taps.items()}
    assert server.held == alive
    assert len(alive) == limit
    assert len(server.asked) < 500, "only one trip is asked for again"


async def test_who_is_denied_after_a_reconnect_is_told_and_nobody_else() -> None:
    server = Server()
    asked = await followed(server, 150)
    server.denied = {"p.3", "p.120"}
    server.reconnect()
    async with running(server):
        await server.subs.restored()
    assert [tap.pattern for tap in asked if tap.refused] == ["p.3", "p.120"]
    assert len(server.held) == 148
