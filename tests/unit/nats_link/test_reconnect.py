"""Which server is tried when: with a clock of our own, and without a network."""

from __future__ import annotations

import asyncio
from asyncio import sleep as a_turn
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlparse

import pytest
from nats.aio.client import Srv

from bridge.nats_link import reconnect as module
from bridge.nats_link.reconnect import MAX_WAIT_SECONDS, MIN_WAIT_SECONDS, ReconnectingClient


class Network:
    """Servers at addresses; notes who is tried when. Nobody greets but those in `alive`.

    Those in `silent` do not even refuse.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.alive: set[str] = set()
        self.silent: set[str] = set()
        self.tried: list[tuple[str, float]] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await a_turn(0)

    async def open(self, uri: Any) -> None:
        self.tried.append((uri.netloc, self.now))
        if len(self.tried) > 1000:
            raise asyncio.CancelledError
        if uri.netloc in self.silent:
            await asyncio.Event().wait()
        if uri.netloc not in self.alive:
            raise ConnectionRefusedError

    async def greet(self, *_: Any) -> None:
        pass


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network()
    monkeypatch.setattr(module, "time", network)
    monkeypatch.setattr(module.asyncio, "sleep", network.sleep)
    for name in ("open", "greet"):
        does = getattr(network, name)
        monkeypatch.setattr(
            module.GreetingTransport, name, lambda _, *given, does=does: does(*given)
        )
    return network


def client(*netlocs: str) -> ReconnectingClient:
    made = ReconnectingClient()
    made.options["connect_timeout"] = 2
    made._server_pool = [Srv(urlparse(f"nats://{each}")) for each in netlocs]
    made._error_cb = nothing
    return made


async def nothing(error: Exception) -> None:
    pass


async def test_waits_grow_from_a_quarter_of_a_second_to_five(network: Network) -> None:
    with pytest.raises(asyncio.CancelledError):
        await client("a:1")._select_next_server()
    times = [at for _, at in network.tried]
    waits = [b - a for a, b in pairwise(times)]
    assert 0.8 * MIN_WAIT_SECONDS <= waits[0] <= MIN_WAIT_SECONDS
    assert all(0.8 * MAX_WAIT_SECONDS <= wait <= MAX_WAIT_SECONDS for wait in waits[20:])
    assert len(set(waits[20:])) > 10, "no jitter"
    outage = 0.0
    for wait in waits:
        assert wait <= MIN_WAIT_SECONDS + outage / 2
        outage += wait


async def test_the_server_just_lost_is_tried_last_and_others_at_once(network: Network) -> None:
    it = client("a:1", "b:1", "c:1")
    network.alive = {"a:1"}
    await it._select_next_server()
    assert it._current_server is not None and it._current_server.uri.netloc == "a:1"
    network.now += 1
    network.alive = {"c:1"}
    network.tried.clear()
    await it._select_next_server()
    assert network.tried == [("b:1", network.now), ("c:1", network.now)]


async def test_no_server_waits_longer_for_a_try_than_five_seconds(network: Network) -> None:
    with pytest.raises(asyncio.CancelledError):
        await client("a:1", "b:1", "c:1")._select_next_server()
    for name in ("a:1", "b:1", "c:1"):
        times = [at for each, at in network.tried if each == name]
        assert max(b - a for a, b in pairwise(times)) <= MAX_WAIT_SECONDS


async def test_servers_named_by_a_cluster_are_kept_once(
    network: Network,
) -> None:
    it = client("u:p@a:1")
    network.alive = {"u:p@a:1"}
    await it._select_next_server()
    for _ in range(3):  # nats-py adds them again with each INFO, since they have no credentials
        it._server_pool += client("a:1", "b:1")._server_pool
        it._tidy_pool()
    assert [server.uri.netloc for server in it._server_pool] == ["u:p@a:1", "b:1"]


async def test_addresses_that_nobody_reaches_do_not_hold_up_those_that_are_there(
    network: Network,
) -> None:
    nowhere = {f"10.0.0.{number}:4222" for number in range(5)}
    it = client("a:1", *nowhere)
    network.alive, network.silent = {"a:1"}, nowhere
    for server in it._server_pool[:1]:
        server.last_attempt = network.now  # just lost: the others come first
    async with asyncio.timeout(2):
        await it._select_next_server()
    assert it._current_server is not None and it._current_server.uri.netloc == "a:1"


async def test_a_server_that_greets_at_once_is_the_only_one_that_is_asked(
    network: Network,
) -> None:
    network.alive = {"a:1", "b:1", "c:1"}
    await client("a:1", "b:1", "c:1")._select_next_server()
    assert len(network.tried) == 1


async def test_a_server_that_is_still_being_tried_is_let_go_once_another_one_has_greeted(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    aborted: list[object] = []
    monkeypatch.setattr(module.GreetingTransport, "abort", lambda each: aborted.append(each))
    network.alive, network.silent = {"b:1"}, {"a:1"}
    it = client("a:1", "b:1")
    await it._select_next_server()
    assert [each for each, _ in network.tried] == ["a:1", "b:1"]
    while not aborted:
        await a_turn(0)
    assert aborted != [it._transport]


async def test_a_connection_is_given_up_only_once_another_server_has_greeted(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[Exception] = []

    async def give_up(error: Exception) -> None:
        given_up.append(error)

    it = client("a:1", "b:1")
    monkeypatch.setattr(it, "_process_op_err", give_up)
    it.leave()
    it.leave()
    while len(network.tried) < 10:
        await a_turn(0)
    assert not given_up
    network.alive = {"b:1"}
    while not given_up:
        await a_turn(0)
    tries = len(network.tried)
    await it._select_next_server()
    assert it._current_server is not None and it._current_server.uri.netloc == "b:1"
    assert len(network.tried) == tries, "it was tried again"
    assert len(given_up) == 1


async def test_what_the_cluster_no_longer_names_is_forgotten(network: Network) -> None:
    it = client("a:1", "b:1")
    network.alive = {"b:1"}
    await it._select_next_server()
    named = client("c:1", "d:1", "e:1")._server_pool
    for server in named:
        server.discovered = True
    it._server_pool += named
    it._current_server = named[0]
    it._forget_servers(None)
    it._forget_servers([])
    assert len(it._server_pool) == 5
    it._forget_servers(["d:1", "f:1"])
    assert [each.uri.netloc for each in it._server_pool] == ["a:1", "b:1", "c:1", "d:1"]


async def test_what_a_failed_try_left_open_is_cut_before_the_next(network: Network) -> None:
    it = client("a:1")
    network.alive = {"a:1"}
    await it._select_next_server()
    left: Any = SimpleNamespace(is_cut=False)
    left.abort = lambda: setattr(left, "is_cut", True)
    reading = asyncio.create_task(asyncio.Event().wait())
    it._reading_task = reading  # type: ignore[assignment]
    assert it._transport is not None
    it._transport._io_writer = SimpleNamespace(transport=left)
    await it._select_next_server()
    assert left.is_cut
    with pytest.raises(asyncio.CancelledError):
        await reading
