"""What the server hangs up on is asked for in smaller and smaller company, and then refused."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from nats import errors

from bridge.nats_link import suspects
from tests.unit.nats_link.fake_server import Server, Tap, followed, running, taps


async def subscribe_again(server: Server, tap: Tap) -> None:
    """Ask as `Waiting` does: until it is accepted, or refused for good."""
    async with asyncio.timeout(20):
        while True:
            try:
                await server.subs.subscribe_all([tap])
            except (errors.Error, TimeoutError):
                await asyncio.sleep(0)
            else:
                if tap.refused != ["nats_down"]:
                    return
                await asyncio.sleep(0.005)
            tap.refused.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "WAIT_SECONDS", (0.0, 0.01, 0.05))


async def test_a_pattern_that_the_server_hangs_up_on_is_refused_after_three_times(
    quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    server.kills = {"killer"}
    killer = Tap("killer")
    async with running(server):
        await subscribe_again(server, killer)
        assert killer.refused == ["denied"]
        assert server.losses == 3
        assert "killer is refused for ten minutes" in caplog.text
        again = Tap("killer")
        await server.subs.subscribe_all([again])
    assert again.refused == ["denied"]
    assert server.asked.count("killer") == 3


async def test_a_suspicious_pattern_has_to_wait_longer_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    server.kills = {"killer"}
    times = []
    now = 0.0
    monkeypatch.setattr(suspects, "time", SimpleNamespace(monotonic=lambda: now))
    async with running(server):
        while server.losses < 3:
            before = server.losses
            killer = Tap("killer")
            try:
                await server.subs.subscribe_all([killer])
            except errors.Error:
                times.append(now)
                assert server.losses == before + 1
                await server.is_back()
            else:
                assert killer.refused == ["nats_down"]
                now += 0.25
    assert times == [0, 1, 11]


async def test_who_was_asked_for_together_with_it_is_not_blamed(quick: None) -> None:
    server = Server()
    server.kills = {"killer"}
    killer, innocent = Tap("killer"), taps(*"abcdef")
    async with running(server):
        await asyncio.gather(*(subscribe_again(server, tap) for tap in [*innocent, killer]))
    assert killer.refused == ["denied"]
    assert [tap.refused for tap in innocent] == [[]] * 6
    assert sorted(server.held.values()) == [*"abcdef"]
    assert server.losses <= 4


async def test_who_is_asked_for_while_another_one_is_tried_alone_is_not_blamed() -> None:
    server = Server()
    server.kills = {"killer"}
    for name in ("other", "bystander"):
        asking = []
        for each in ("killer", name):
            asking.append(asyncio.create_task(server.subs.subscribe_all(taps(each))))
            await asyncio.sleep(0.01)
        server.answer()
        both = await asyncio.gather(*asking, return_exceptions=True)
        assert all(isinstance(each, errors.Error) for each in both)
        server.reconnect()
    waits = [server.subs._suspects.wait(each) for each in ("bystander", "killer")]
    assert waits == [0, pytest.approx(1, abs=0.5)]


async def test_a_trip_of_its_own_does_not_come_between_a_turn_and_its_ping() -> None:
    server = Server()
    server.kills = {"killer"}
    with pytest.raises(errors.Error):
        async with running(server):
            await server.subs.subscribe_all(taps("killer", "suspect"))
    server.reconnect()
    server.asked.clear()
    asked = taps("suspect", "clean", "other")
    server.denied, server.spelling = {"suspect"}, lambda pattern: "?"
    async with running(server):
        await asyncio.gather(*(server.subs.subscribe_all([tap]) for tap in asked))
    assert server.asked == ["clean", "other", "PING", "suspect", "PING"]
    assert [tap.refused for tap in asked] == [["denied"], [], []]


async def test_who_lines_up_is_told_of_a_loss_at_once() -> None:
    server = Server()
    server.kills = {"killer"}
    asked = taps("killer", "next", "last")
    with pytest.raises(errors.Error):
        async with running(server):
            await server.subs.subscribe_all(asked)
    server.reconnect()
    async with running(server):
        asking = (server.subs.subscribe_all([tap]) for tap in asked)
        told = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(each, errors.ConnectionReconnectingError) for each in told)


async def test_while_one_has_to_wait_the_others_of_its_request_are_followed() -> None:
    server = Server()
    server.kills = {"killer"}
    async with running(server):
        with pytest.raises(errors.Error):
            await server.subs.subscribe_all(taps("killer"))
        await server.is_back()
        other, killer = taps("other", "killer")
        await server.subs.subscribe_all([other, killer])
    assert (other.refused, killer.refused) == ([], ["nats_down"])
    assert [*server.held.values()] == ["other"]


async def test_a_line_that_is_too_long_costs_one_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = Server()
    server.longest = 200
    long, short = Tap("x" * 255), Tap("a")
    async with running(server):
        await asyncio.gather(subscribe_again(server, long), subscribe_again(server, short))
        longer = Tap("y" * 255)
        await server.subs.subscribe_all([longer])
    assert (long.refused, short.refused, longer.refused) == (["denied"], [], ["denied"])
    assert server.losses == 1
    assert "too long for the server" in caplog.text


async def test_what_is_followed_already_and_has_to_wait_is_told_of_it() -> None:
    server = Server()
    (only,) = await followed(server, 1)
    server.kills = {only.pattern}
    async with running(server):
        async with asyncio.timeout(20):
            while not only.refused:
                await asyncio.sleep(0.001)
    assert only.refused == ["nats_down"]
    assert not server.subs.taps


@pytest.mark.parametrize("count", [1, 30, 5000])
async def test_one_that_is_followed_already_cannot_end_every_connection(
    count: int, quick: None
) -> None:
    server = Server()
    asked = await followed(server, count)
    killer = asked[count // 2]
    server.kills = {killer.pattern}
    async with running(server):
        async with asyncio.timeout(20):
            while not killer.refused:
                await asyncio.sleep(0.001)
        killer.refused.clear()
        await subscribe_again(server, killer)
        assert killer.refused == ["denied"]
        await server.subs.restored()
        await asyncio.sleep(0.01)
    assert [tap.pattern for tap in asked if tap.refused] == [killer.pattern]
    assert len(server.held) == count - 1
    assert server.losses <= 6
    pings = server.asked.count("PING")
    assert pings < 400, "they are not all asked for one by one"


async def test_suspicion_ends_with_an_answer(quick: None) -> None:
    server = Server()
    server.kills = {"a"}
    async with running(server):
        with pytest.raises(errors.Error):
            await server.subs.subscribe_all(taps("a"))
        server.kills.clear()
        await subscribe_again(server, Tap("a"))
    assert server.subs._suspects.wait("a") is None


async def test_suspects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "MAX_SUSPECTS", 10)
    known = suspects.Suspects()
    known.lost((f"s.{number}" for number in range(20)), 20)
    known.lost(["s.10"], 1)
    known.lost(["new"], 1)
    assert known.wait("s.9") is None
    assert known.wait("s.11") is None
    assert known.wait("s.10") is not None
