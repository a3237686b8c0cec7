"""Browsers of gateways beside three servers, one of which fails: each has exactly the stream."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import is_well
from tests.service.history.test_gateways import metadata_leader, number_of
from tests.service.history.test_gateways import publish as store
from tests.service.history.test_resumes import (
    STORED,
    SUBJECTS,
    faults,
    publishing,
    settled,
    spread,
)
from tests.support.browser_client import Browser
from tests.support.jetstream import insist, make_stream, plain_client
from tests.support.servers import Gateway, NatsServer, eventually, running

BROWSERS = 12
FROZEN_SECONDS = 2
SETTINGS = {"requests_per_second": 1000, "request_burst": 1000, "max_replay": 100000}


@asynccontextmanager
async def leader_of(servers: list[NatsServer]) -> AsyncIterator[tuple[Client, int]]:
    """Make a stream with three replicas; yield a client of another server, and its leader."""
    async with plain_client(servers[0]) as first:
        await make_stream(first, "S", ["s.>"], num_replicas=3)
        info = await insist(first, "STREAM.INFO.S")
        leader = number_of(info["cluster"]["leader"])
        async with plain_client(servers[(leader + 1) % 3]) as client:
            yield client, leader
            await insist(client, "STREAM.DELETE.S")


@pytest.mark.parametrize("fails", ["leader", "follower"])
async def test_who_follows_a_replicated_stream_has_all_of_it_whatever_fails(
    three_servers: list[NatsServer], tmp_path: Path, fails: str
) -> None:
    """A server is frozen and then killed, and so is a gateway; its browsers go to the other one."""
    async with leader_of(three_servers) as (client, leader):
        publish = client.jetstream().publish
        for begin in range(0, STORED, 100):
            numbers = range(begin, begin + 100)
            subjects = [SUBJECTS[each % len(SUBJECTS)] for each in numbers]
            each_is_stored = map(publish, subjects, [b"%d" % each for each in numbers])
            await asyncio.gather(*each_is_stored)
        near, far = (leader + 1) % 3, (leader + 2) % 3
        victim = three_servers[leader if fails == "leader" else far]
        one = Gateway(three_servers[far].url, log=tmp_path / "one", **SETTINGS)
        two = Gateway(three_servers[near].url, log=tmp_path / "two", **SETTINGS)
        with running(one), running(two):
            browsers = await spread(BROWSERS, one, two)
            async with publishing(client, 200):
                victim.freeze()
                await asyncio.sleep(FROZEN_SECONDS)
                victim.thaw()
                await asyncio.sleep(0.5)
                victim.crash()
                await asyncio.to_thread(one.stop, signal.SIGKILL)
                homeless = [each for each in browsers if each.address == one.stream]
                await asyncio.gather(*(each.gone() for each in homeless))
                for each in homeless:
                    await each.connect(two.stream)
                await asyncio.to_thread(victim.start)
            await store(client, 1)  # once there is a leader
            truth = await settled(client, browsers)
            assert [fault for each in browsers for fault in faults(each, truth)][:5] == []
            for each in browsers:
                each.browser.kill()
                await each.gone()
            assert is_well(two)


async def test_while_the_cluster_has_no_leader_who_asks_is_told_and_served_later(
    three_servers: list[NatsServer], tmp_path: Path
) -> None:
    """Whoever follows the stream already gets what it has all the while."""
    async with leader_of(three_servers):
        # One that was just started may not know yet.
        await eventually(lambda: len({metadata_leader([each]) for each in three_servers}) == 1)
        frozen = number_of(metadata_leader(three_servers))
        here = three_servers[(frozen + 1) % 3]
        with running(Gateway(here.url, log=tmp_path / "log", **SETTINGS)) as gateway:
            async with (
                plain_client(here) as client,
                Browser(gateway.stream) as before,
                Browser(gateway.stream) as later,
            ):
                await before.ask({"subjects": ["s.>"], "history": "new"})
                three_servers[frozen].freeze()
                try:
                    told = await later.ask({"subjects": ["s.0.x"], "history": "new"})
                    if told.get("code") == "nats_down":
                        told = await later.next()
                    assert told["history"]["after"] == 0, told
                    await store(client, 5)
                finally:
                    three_servers[frozen].thaw()
                for browser, wanted in ((before, [1, 2, 3, 4, 5]), (later, [1, 4])):
                    got: list[int] = []
                    while len(got) < len(wanted):
                        line = await browser.next()
                        got += [line["seq"]] if "seq" in line and "data" in line else []
                    assert got == wanted
            assert is_well(gateway)
