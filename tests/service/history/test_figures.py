"""What an operator sees of streams that are followed, and of what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nats.aio.client import Client

from tests.service.conftest import OPERATOR
from tests.service.history.test_forms import ask, replay, ten
from tests.service.life.test_metrics import grown
from tests.service.replicas.test_connections_list import listing
from tests.support.browser_client import Browser
from tests.support.jetstream import api, make_stream, until_stored
from tests.support.servers import Gateway, NatsServer, eventually, running

READS = 'bridge_history_reads_total{{how="{}"}}'.format


async def test_replays_and_reads_are_counted(client: Client, stream_gateway: Gateway) -> None:
    before = stream_gateway.figures()
    _, token = await ten(client)
    async with Browser(stream_gateway.stream) as browser:
        await ask(browser, f"{token}.a", "all")
        await replay(browser)
        figures = stream_gateway.figures()
    assert figures["bridge_history_replays"] == figures["bridge_history_behind"] == 0
    assert figures["bridge_history_streams"] == before["bridge_history_streams"] + 1
    new = grown(before, figures)
    assert new["bridge_history_messages_total"] == new["bridge_messages_delivered_total"] == 5
    assert new["bridge_history_consumers_total"] == 1
    assert new[READS("direct")] >= 1
    assert new[READS("check")] >= 1
    assert READS("consumer") not in new
    assert "bridge_history_fell_behind_total" not in new


async def test_reads_of_a_stream_without_direct_gets_are_told_apart(
    client: Client, stream_gateway: Gateway
) -> None:
    await make_stream(client, "SLOW", ["slow.>"], allow_direct=False)
    for number in range(10):
        await client.publish("slow.a", b"%d" % number)
    await until_stored(client, "SLOW", 10)
    before = stream_gateway.figures()
    async with Browser(stream_gateway.stream) as browser:
        await ask(browser, "slow.>", "all")
        assert len((await replay(browser))[0]) == 10
    new = grown(before, stream_gateway.figures())
    assert new[READS("consumer")] >= 1
    assert new["bridge_history_consumers_total"] == 1 + new[READS("consumer")]


async def test_what_a_stream_lost_is_counted_by_the_reason(
    client: Client, stream_gateway: Gateway
) -> None:
    name, token = await ten(client)
    before = stream_gateway.figures()
    async with Browser(stream_gateway.stream) as browser:
        await ask(browser, f"{token}.a", "new")
        await replay(browser)
        await api(client, f"STREAM.DELETE.{name}")
        await make_stream(client, name, [f"{token}.>"])
        while (await browser.next()).get("status") != "missed":
            pass
    new = grown(before, stream_gateway.figures())
    assert new['bridge_history_missed_total{reason="stream_new"}'] == 1


async def test_who_falls_behind_is_seen_until_it_has_caught_up(
    client: Client, stream_server: NatsServer, log: Path
) -> None:
    name, token = await ten(client)
    with running(Gateway(stream_server.url, log=log, write_timeout=60)) as gateway:
        async with Browser(gateway.stream) as browser:
            await ask(browser, f"{token}.a", "new")
            await replay(browser)
            browser.ws.transport.pause_reading()
            for _ in range(400):
                await client.publish(f"{token}.a", b'"%b"' % (b"x" * 50_000))
            await until_stored(client, name, 410)
            await eventually(lambda: gateway.figures()["bridge_history_behind"] == 1)
            browser.ws.transport.resume_reading()
            sequences = []
            while not sequences or sequences[-1] < 410:
                line = await browser.next()
                sequences += [line["seq"]] if "data" in line else []
            assert sequences == [*range(11, 411)]
            await eventually(lambda: gateway.figures()["bridge_history_behind"] == 0)
            figures = gateway.figures()
    assert figures["bridge_history_fell_behind_total"] >= 1
    assert figures["bridge_history_messages_total"] > 0


async def test_operators_see_where_everybody_is_in_streams_at_each_replica(
    client: Client, stream_server: NatsServer, tmp_path: Path
) -> None:
    name, token = await ten(client)
    settings: dict[str, object] = {"operator_token": OPERATOR, "write_timeout": 60}
    here = Gateway(stream_server.url, log=tmp_path / "here", **settings)  # type: ignore[arg-type]
    there = Gateway(stream_server.url, log=tmp_path / "there", **settings)  # type: ignore[arg-type]
    with running(here), running(there):

        async def place(browser: Browser) -> list[Any]:
            entries = (await listing(here))["connections"]
            its = {each["connection_id"]: each for each in entries}[browser.connection_id]
            return its.get("streams", [])

        async with Browser(there.stream) as browser:
            await browser.subscribe("plain.>")
            assert await place(browser) == []
            epoch = (await ask(browser, f"{token}.a", "new"))["history"]["epoch"]
            await replay(browser)
            its = {"stream": name, "patterns": [f"{token}.a"]}
            live = its | {"state": "live", "cursor": f"{name}.{epoch}.10"}
            assert await place(browser) == [live]
            browser.ws.transport.pause_reading()
            for _ in range(400):
                await client.publish(f"{token}.a", b'"%b"' % (b"x" * 50_000))
            await until_stored(client, name, 410)
            await eventually(lambda: there.figures()["bridge_history_behind"] == 1)
            (behind,) = await place(browser)
            assert behind["state"] == "behind"
            assert 10 <= int(behind["cursor"].rpartition(".")[2]) < 410
            browser.ws.transport.resume_reading()
            await eventually(lambda: there.figures()["bridge_history_behind"] == 0)
            assert await place(browser) == [live | {"cursor": f"{name}.{epoch}.410"}]
