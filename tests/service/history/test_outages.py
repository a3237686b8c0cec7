"""Replays through outages, and a tail that is flooded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.pages import Pages
from bridge.history.ring import Ring
from bridge.history.stored import Stored
from bridge.history.streams import ask_info
from bridge.history.tail import Tail
from bridge.history.times import Times
from tests.support.followers import NO_FAULTS, Follower
from tests.support.jetstream import (
    api,
    entries_of,
    jetstream,
    last_of,
    make_stream,
    plain_client,
    until_stored,
)
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually, running

QUICK = Times(heartbeat=0.1, silence=0.4)
FLOOD = 3000
PAYLOAD = bytes(20000)


async def test_replays_go_on_through_restarts_of_the_server(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with plain_client(server) as client, linked(server.url) as link:
            await make_stream(client, "S", ["s.>"])
            for number in range(1000):
                await client.publish(f"s.{number % 3}", b"%d" % (number % 7))
            await until_stored(client, "S", 1000)
            js = JetStream(link)
            info = await ask_info(js, "S", 5)
            keeper = Keeper(js, Tail(info, ring=Ring(info.last, 10)), times=QUICK)
            pages = Pages(js, max_messages=10)
            patterns = ["s.>", "s.1", "s.2"]
            followers = [Follower(keeper, pages, {each: 0}, slow=True) for each in patterns]
            joining = [asyncio.create_task(each.join_at_last()) for each in followers]
            for had in (100, 200, 300):
                await eventually(lambda had=had: len(followers[0].got) > had)
                server.stop()
                await asyncio.to_thread(server.start)
                await eventually(lambda: client.is_connected and link.is_connected)
                js.lost()
                keeper.renew()
                for number in range(20):
                    await client.jetstream().publish(f"s.{number % 3}", b"later")
            await asyncio.gather(*joining)
            last = await last_of(client, "S")
            await eventually(lambda: keeper.tail.position >= last)
            truth = await entries_of(client, "S")
            for each in followers:
                assert each.faults(truth) == NO_FAULTS
            await keeper.close()


class Busy(Follower):
    """Holds the event loop up with each message."""

    def take(self, messages: Sequence[Stored]) -> None:
        super().take(messages)
        time.sleep(0.0005 * len(messages))


async def test_a_flood_slows_the_server_and_loses_nothing(stream_server: NatsServer) -> None:
    """60 MB: the server sends on only when it is answered."""
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "S", ["s.>"])
        js = JetStream(link)
        keeper = Keeper(js, Tail(await ask_info(js, "S", 5)))
        follower = Busy(keeper, Pages(js), {"s.>": 0})
        await follower.join()
        for number in range(FLOOD):
            await client.publish(f"s.{number % 3}", PAYLOAD)
        await eventually(lambda: len(follower.got) == FLOOD, 120)
        assert [each.sequence for each in follower.got] == list(range(1, FLOOD + 1))
        assert keeper.begun == 1
        assert len(keeper.tail.ring.matching(">", keeper.tail.ring.first)) < 60
        await keeper.close()
        await api(client, "STREAM.DELETE.S")
