"""Which SUBs the server is asked for, when, and who is blamed for what it says; no real server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from nats import errors

from bridge.nats_link import subscriptions, suspects
from bridge.nats_link.subscriptions import Subscriptions
from bridge.nats_link.tapped import Lane


class Tap:
    """Follows a pattern; notes how it was refused."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.refused: list[str] = []

    def lane(self, subject: str) -> Lane:
        raise AssertionError("no message is sent here")

    def refuse(self, code: str) -> None:
        self.refused.append(code)


class Server:
    """A NATS server, and the connection to it, that does what it is told to with each SUB."""

    def __init__(self) -> None:
        self.is_connected = True
        self.subs = Subscriptions(self)
        self.held: dict[int, str] = {}
        self.asked: list[str] = []
        """What was asked for so far; `PING`, too."""
        self.losses = 0
        self.limit = 1000000
        self.denied: set[str] = set()
        self.kills: set[str] = set()
        self.longest = 1000
        self.spelling: Callable[[str], str] = str
        self._queued: list[bytes | asyncio.Future[bool]] = []
        self._sids = itertools.count(1)

    def next_sid(self) -> int:
        return next(self._sids)

    def queue(self, command: bytes) -> None:
        assert self.is_connected
        self._queued.append(command)

    def queue_ping(self, answered: asyncio.Future[bool]) -> None:
        assert self.is_connected
        self._queued.append(answered)

    def answer(self) -> None:
        """Take all that is queued."""
        queued, self._queued = self._queued, []
        for each in queued:
            if not self.is_connected:
                return
            if isinstance(each, asyncio.Future):
                self.asked.append("PING")
                if not each.done():
                    each.set_result(True)
            elif each.startswith(b"UNSUB"):
                self.held.pop(int(each.split()[1]), None)
            else:
                _, pattern, sid = each.decode().split()
                self.asked.append(pattern)
                self._take(pattern, int(sid))

    def _take(self, pattern: str, sid: int) -> None:
        if pattern in self.kills:
            self.lose()
        elif len(pattern) > self.longest:
            self.subs.too_long()
            self.lose()
        elif pattern in self.denied:
            self.subs.refused("denied", self.spelling(pattern))
        elif len(self.held) >= self.limit:
            self.subs.refused("limit")
        else:
            self.held[sid] = pattern

    def lose(self) -> None:
        self.losses += 1
        self.is_connected = False
        self.held.clear()
        self._queued.clear()
        self.subs.lost()

    def reconnect(self) -> None:
        self.is_connected = True
        self.subs.replay()

    async def run(self) -> None:
        """Answer each turn, and be there again soon after a loss."""
        while True:
            await asyncio.sleep(0)
            if self.is_connected:
                self.answer()
            else:
                await asyncio.sleep(0.001)
                self.reconnect()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[None]:
    task = asyncio.create_task(server.run())
    try:
        yield
    finally:
        task.cancel()


def taps(*patterns: str) -> list[Tap]:
    return [Tap(each) for each in patterns]


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


async def followed(server: Server, count: int) -> list[Tap]:
    """Subscribe to many, then lose the connection."""
    asked = taps(*(f"p.{number}" for number in range(count)))
    async with running(server):
        await server.subs.subscribe_all(asked)
    server.lose()
    server.losses = 0
    server.asked.clear()
    return asked


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
                await asyncio.sleep(0.001)
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


async def test_while_one_has_to_wait_the_others_of_its_request_are_followed(quick: None) -> None:
    server = Server()
    server.kills = {"killer"}
    async with running(server):
        with pytest.raises(errors.Error):
            await server.subs.subscribe_all(taps("killer"))
        await asyncio.sleep(0.001)
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
