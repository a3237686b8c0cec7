"""Headers, reply subjects and times of messages, for who asks for them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running


async def ask(browser: Browser, *subjects: str, **options: object) -> Any:
    answer = await browser.ask({"subjects": list(subjects)} | options)
    assert answer["success"] is True, answer
    return answer


async def test_headers_come_in_their_order_with_repeats_and_empty_values(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    head = b"NATS/1.0\r\nb: 1\r\nA:   2\r\nb: \r\nB:3:4\r\nX: \xff\r\n\r\n"
    async with Browser(gateway.stream) as browser, Browser(gateway.stream) as plain:
        await ask(browser, "m.h", meta=["headers", "reply"])
        await plain.subscribe("m.h")
        raw_nats.publish("m.h", b"[1.50]", reply="to.me", headers=head)
        message = await browser.frame()
        assert message == (
            '{"subject":"m.h","reply":"to.me","headers":[["b","1"],["A","2"],["b",""],["B","3:4"],'
            '["X","/w==","base64"]],"data":[1.50]}'
        )
        assert await plain.frame() == '{"subject":"m.h","data":[1.50]}'


async def test_a_time_is_the_present_in_utc(gateway: Gateway, raw_nats: RawNats) -> None:
    async with Browser(gateway.stream) as browser:
        await ask(browser, "m.t", meta=["time"])
        raw_nats.publish("m.t", b"1")
        message = await browser.next()
        assert list(message) == ["subject", "time", "data"]
        assert abs(datetime.fromisoformat(message["time"]) - datetime.now(UTC)) < timedelta(60)


async def test_what_cannot_be_read_is_left_out_and_counted(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    before = gateway.figures()["bridge_headers_malformed_total"]
    async with Browser(gateway.stream) as browser:
        await ask(browser, "m.bad", meta=["headers"])
        raw_nats.publish("m.bad", b"1", headers=b"NATS/1.0\r\nnonsense\r\nA: b\r\n\r\n")
        raw_nats.publish("m.bad", b"2", headers=b"NATS/1.0\r\nA: b\r\n\r\n")
        assert [await browser.next() for _ in range(2)] == [
            {"subject": "m.bad", "headers": [["A", "b"]], "data": data} for data in (1, 2)
        ]
    assert gateway.figures()["bridge_headers_malformed_total"] == before + 1


async def test_a_deleted_key_can_be_told_from_an_empty_value(tmp_path: Path) -> None:
    store = f'jetstream {{ store_dir: "{tmp_path}" }}'
    with (
        running(NatsServer(tmp_path, store)) as server,
        running(Gateway(server.url, log=tmp_path / "log", allow_subjects=">,$KV.b.>")) as service,
    ):
        client = await nats.connect(server.url)
        bucket = await client.jetstream().create_key_value(bucket="b")
        async with Browser(service.stream) as browser:
            await ask(browser, "$KV.b.>", meta=["headers"])
            await bucket.put("k", b"")
            await bucket.delete("k")
            empty, deleted = [await browser.next() for _ in range(2)]
        await client.close()
    assert "headers" not in empty
    assert ["KV-Operation", "DEL"] in deleted["headers"]


async def test_options_of_a_request_that_waits_for_nats_are_remembered(tmp_path: Path) -> None:
    with (
        running(NatsServer(tmp_path)) as server,
        running(Gateway(server.url, log=tmp_path / "log")) as service,
    ):
        async with Browser(service.stream) as browser:
            server.stop()
            assert await browser.next() == {"status": "nats_down"}
            answer = await browser.ask({"subjects": ["a"], "meta": ["headers"], "id": 1})
            assert answer["code"] == "nats_down"
            server.start()
            while not (answer := await browser.next()).get("success"):
                pass
            with RawNats(server.port) as client:
                client.publish("a", b"1", headers=b"NATS/1.0\r\nA: b\r\n\r\n")
            assert (await browser.next())["headers"] == [["A", "b"]]


async def test_a_misspelt_option_is_refused_and_ends_nothing(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        answer = await browser.ask({"subjects": ["a"], "headers": True, "id": 5})
        assert (answer["code"], answer["id"]) == ("bad_request", 5)
        assert answer["message"].startswith("'headers' is no key of a request.")
        await ask(browser, "a", meta=["headers"])


async def test_of_many_messages_each_arrives_with_its_own_headers(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    count, several = 20_000, 500
    async with Browser(f"{gateway.stream}?batch=1") as asking, Browser(gateway.stream) as plain:
        await ask(asking, "n.*", meta=["headers", "reply"])
        await plain.subscribe("n.>")

        async def read(browser: Browser, found: list[tuple[int, str | None, str | None]]) -> None:
            while len(found) < count:
                for line in (await browser.frame()).splitlines():
                    message = json.loads(line)
                    headers = message.get("headers") or [["N", None]]
                    found.append((message["data"], headers[0][1], message.get("reply")))

        with_headers: list[tuple[int, str | None, str | None]] = []
        without: list[tuple[int, str | None, str | None]] = []
        readers = [
            asyncio.create_task(read(asking, with_headers)),
            asyncio.create_task(read(plain, without)),
        ]
        for first in range(0, count, several):
            numbers = range(first, first + several)
            data = b"".join(
                raw_nats.command(
                    b"n.%d" % (n % 3),
                    b"%d" % n,
                    b"r.%d" % n if n % 2 else b"",
                    b"NATS/1.0\r\nN: %d\r\n\r\n" % n if n % 5 else b"",
                )
                for n in numbers
            )
            while min(len(with_headers), len(without)) < first - several:
                await asyncio.sleep(0.001)  # neither may become a slow consumer
            await asyncio.to_thread(raw_nats.send, data)
        await asyncio.gather(*readers)
    assert with_headers == [
        (n, str(n) if n % 5 else None, f"r.{n}" if n % 2 else None) for n in range(count)
    ]
    assert without == [(n, None, None) for n in range(count)]
