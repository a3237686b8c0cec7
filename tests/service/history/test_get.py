"""The past by a plain GET: server-sent events with ids to come back with, and lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from bridge.wire.cursor import epoch_of, read_cursors
from tests.service.browsers.test_compression import INPUT
from tests.service.history.test_forms import ten
from tests.support.http_reader import GZIP, SSE, HttpReader
from tests.support.jetstream import api, jetstream, make_stream, plain_client, until_stored
from tests.support.servers import Gateway, NatsServer, http, messages_by_fate, running, until

Event = tuple[str, dict[str, Any]]
"""Its id, and what is in it."""


def events(reader: HttpReader, last: str = "live") -> list[Event]:
    """Return what comes up to the notice of this status: messages and notices with their ids."""
    found: list[Event] = []
    while True:
        event = reader.event()
        assert event, "it ended too early"
        if "data" not in event:
            continue
        found.append((event.get("id", ""), json.loads(event["data"])))
        if found[-1][1].get("status") == last:
            return found


def messages(found: list[Event]) -> list[Event]:
    return [each for each in found if "subject" in each[1]]


def sequences(found: list[Event]) -> list[int]:
    return [each["seq"] for _, each in messages(found)]


async def place(client: Client, name: str) -> str:
    """Return the cursor of a stream without its sequence, as a gateway tells it."""
    return f"{name}.{epoch_of((await api(client, f'STREAM.INFO.{name}'))['created'])}"


def post(gateway: Gateway, **request: Any) -> Any:
    status, text = http(f"{gateway.url}/stream", json.dumps(request).encode())
    assert status == 200
    return json.loads(text)


def read(gateway: Gateway, query: str, last_event_id: str = "") -> HttpReader:
    headers = SSE | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    return HttpReader(gateway.port, query, headers)


@pytest.mark.parametrize(
    ("history", "pattern", "expected"),
    [
        ("history=new", ">", []),
        ("history=auto", ">", []),
        ("history=all", ">", [*range(1, 11)]),
        ("history=all", "a", [2, 4, 6, 8, 10]),
        ("history=last_per_subject", ">", [9, 10]),
        ("history=last:3", "b", [5, 7, 9]),
        ("history=seq:4", "*", [*range(4, 11)]),
        ("history=since:1h", "a", [2, 4, 6, 8, 10]),
        ("history=since:2100-01-01T00:00:00+01:00", "a", []),
    ],
)
@pytest.mark.parametrize("packing", [{}, GZIP], ids=["plain", "gzip"])
async def test_each_form_brings_what_it_brings_to_a_websocket(
    client: Client,
    stream_gateway: Gateway,
    history: str,
    pattern: str,
    expected: list[int],
    packing: dict[str, str],
) -> None:
    name, token = await ten(client)
    cursor = await place(client, name)

    def look() -> None:
        query = f"subjects={token}.{pattern}&{history}"
        with HttpReader(stream_gateway.port, query, SSE | packing) as reader:
            *came, (id_, live) = events(reader)
            assert sequences(came) == expected
            for at, message in messages(came):
                assert (at, message["replay"]) == (f"{cursor}.{message['seq']}", True)
            assert id_ == f"{cursor}.10"
            assert live["subjects"] == [f"{token}.{pattern}"]
        with HttpReader(stream_gateway.port, query, packing) as reader:
            lines = [reader.next() for _ in range(len(expected) + 3)]
            assert [each["seq"] for each in lines if "subject" in each] == expected
            assert lines[-1]["status"] == "live"

    await asyncio.to_thread(look)


@pytest.mark.parametrize("streams", [1, 2])
async def test_what_is_new_is_compressed_once_for_all_or_not_at_all(
    client: Client, stream_gateway: Gateway, streams: int
) -> None:
    """Those who follow two streams each have ids of their own: for them it is not."""
    tokens = [(await ten(client))[1] for _ in range(streams)]
    query = "&".join(f"subjects={each}.a" for each in tokens) + "&history=new"
    with contextlib.ExitStack() as stack:
        readers = [
            stack.enter_context(HttpReader(stream_gateway.port, query, SSE | GZIP))
            for _ in range(10)
        ]
        for reader in readers:
            for _ in tokens:
                await asyncio.to_thread(events, reader)
        before = stream_gateway.figures()[INPUT]
        await client.publish(f"{tokens[0]}.a", b'"%b"' % (b"x" * 1000))
        for reader in readers:
            event = await asyncio.to_thread(reader.event)
            assert len(json.loads(event["data"])["data"]) == 1000
            assert event["id"].count("/") == streams - 1
        packed = stream_gateway.figures()[INPUT] - before
    assert len(event["data"]) <= packed < 2 * len(event["data"])


async def test_last_event_id_wins(client: Client, stream_gateway: Gateway) -> None:
    name, token = await ten(client)
    cursor = await place(client, name)
    query = f"subjects={token}.>&history=all&after={cursor}.4"

    def look(query: str, last_event_id: str = "") -> list[int]:
        with read(stream_gateway, query, last_event_id) as reader:
            return sequences(events(reader))

    assert await asyncio.to_thread(look, query) == [*range(5, 11)]
    assert await asyncio.to_thread(look, query, f"{cursor}.7") == [8, 9, 10]
    assert await asyncio.to_thread(look, f"subjects={token}.>", f"{cursor}.8") == [9, 10]


@pytest.mark.parametrize("more", ["history=auto&subjects=none.{}", ""])
async def test_who_comes_back_follows_what_no_stream_has_as_before(
    client: Client, stream_gateway: Gateway, more: str
) -> None:
    name, token = await ten(client)
    cursor = await place(client, name)
    plain = f"none.{token}"
    query = f"subjects={token}.a&subjects={plain}&{more.format(token)}"

    def look() -> None:
        with read(stream_gateway, query, f"{cursor}.7") as reader:
            found = events(reader)
            assert sequences(found) == [8, 10]
            followed = [each["subjects"] for _, each in found if each.get("action")]
            assert [plain] in followed and [f"{token}.a"] in followed
            http(f"{stream_gateway.url}/stream")

    await asyncio.to_thread(look)


@pytest.mark.parametrize(
    ("history", "expected"), [("&history=last:2", [9, 10]), ("&history=last_per_subject", [9, 10])]
)
async def test_a_stream_that_the_cursor_does_not_name_begins_as_asked(
    client: Client, stream_gateway: Gateway, history: str, expected: list[int]
) -> None:
    _, token = await ten(client)

    def look(more: str) -> None:
        with read(stream_gateway, f"subjects={token}.>{more}", "OTHER.a.1") as reader:
            found = events(reader)
        said = next(each["history"] for _, each in found if "history" in each)
        assert (said["resumed"], said["reason"]) == (False, "unknown")
        assert sequences(found) == (expected if more else [])
        assert "OTHER" not in found[-1][0], "it is forgotten"

    await asyncio.to_thread(look, history)
    await asyncio.to_thread(look, "")


async def test_what_cannot_be_granted_is_a_status(client: Client, stream_gateway: Gateway) -> None:
    name, token = await ten(client)

    def status(query: str, last_event_id: str = "") -> tuple[int, str]:
        with read(stream_gateway, query, last_event_id) as reader:
            return reader.status, reader.rest() if reader.status != 200 else ""

    def look() -> None:
        none = f"none.{token}"
        assert status(f"subjects={none}&history=all") == (
            404,
            f"'{none}' has no history here: no stream holds it.\n",
        )
        assert status(f"subjects={none}&after={name}.a.1")[0] == 404
        assert status(f"subjects={token}.a&history=all&stream=NONE{name}")[0] == 404
        assert status(f"subjects={token}.a&history=old")[0] == 400
        assert status(f"subjects={token}.a&history=all", "nonsense")[0] == 400
        assert status("subjects=$SYS.>&history=all")[0] == 403
        assert status(f"subjects={token}.a&subjects={none}&history=all")[0] == 200

    await asyncio.to_thread(look)


async def test_nats_away_is_200_and_the_past_comes_once_it_is_back(
    tmp_path: Path, log: Path
) -> None:
    nats = NatsServer(tmp_path, jetstream(tmp_path))
    with running(nats):
        async with plain_client(nats) as client:
            name, token = await ten(client)
            cursor = await place(client, name)
    service = Gateway(nats.url, log=log)

    def look() -> None:
        until(lambda: http(f"{service.url}/livez")[0] == 200)
        query = f"subjects={token}.>&history=all&live=false"
        with (
            read(service, query, f"{cursor}.4") as reader,
            read(service, "subjects=none&history=all&live=false") as none,
        ):
            assert reader.status == none.status == 200
            told = [
                json.loads(event["data"])
                for event in (reader.event() for _ in range(4))
                if "data" in event
            ]
            assert [each.get("code") for each in told] == [None, None, "nats_down"]
            nats.start()
            assert sequences(events(reader)) == [*range(5, 11)]
            assert reader.rest() == ""
            assert '"code":"no_history"' in none.rest().splitlines()[-2]

    service.launch()
    try:
        await asyncio.to_thread(look)
    finally:
        service.stop()
        nats.stop()


async def test_live_false_ends_it_behind_what_is_stored(
    client: Client, stream_gateway: Gateway
) -> None:
    """Under load, so that something comes between the last of the past and the end."""
    _, token = await ten(client)
    _, another = await ten(client)
    ended = asyncio.Event()

    async def publish() -> None:
        while not ended.is_set():
            for _ in range(20):
                await client.publish(f"{token}.a", b"1")
            await asyncio.sleep(0.01)

    def look(query: str) -> None:
        with read(stream_gateway, f"{query}&live=false") as reader:
            rest = reader.rest().split("\n\n")
        assert rest.pop() == ""
        assert '"status":"live"' in rest[-1], "nothing comes behind it"
        replayed = ['"replay":true' in each for each in rest if '"subject":' in each]
        assert all(replayed) or another in query, "the one may be live before the other"

    before = messages_by_fate(stream_gateway.figures())
    publishing = asyncio.create_task(publish())
    try:
        for query in (
            f"subjects={token}.>&history=last:3",
            f"subjects={token}.>&subjects={another}.>&history=last:3",
            f"subjects={token}.>&history=new",
        ):
            for _ in range(5):
                await asyncio.to_thread(look, query)
    finally:
        ended.set()
        await publishing

    def plain() -> None:
        with HttpReader(
            stream_gateway.port, f"subjects=none.{token}&history=auto&live=false"
        ) as reader:
            assert len(reader.rest().splitlines()) == 2, "there is nothing to wait for"

    await asyncio.to_thread(plain)
    until(lambda: stream_gateway.figures()["bridge_connections"] == 0)
    after = messages_by_fate(stream_gateway.figures())
    done = {fate: after[fate] - before[fate] for fate in after}
    assert done["due"] == done["delivered"] + done["filtered"]
    assert done["dropped"] == done["pending"] == 0


@pytest.mark.parametrize(
    ("history", "counts", "expected"),
    [
        ("all", (3, 3, 3, 3, 3, 3, 2), range(1, 11)),
        ("last_per_subject", (1, 1, 1, 1), (9, 10)),
    ],
)
async def test_a_limit_ends_it_with_the_id_of_its_last_message(
    client: Client,
    stream_gateway: Gateway,
    history: str,
    counts: Sequence[int],
    expected: Sequence[int],
) -> None:
    """An EventSource comes back by itself, and gets the next ones."""
    _, token = await ten(client)
    _, another = await ten(client)
    query = f"subjects={token}.>&subjects={another}.>&history={history}"

    def look() -> None:
        last, got = "", []
        for count in counts:
            with read(stream_gateway, f"{query}&limit={count}", last) as reader:
                rest = [
                    dict(line.split(": ", 1) for line in each.splitlines())
                    for each in reader.rest().split("\n\n")[:-1]
                ]
            came = [
                json.loads(each["data"]) for each in rest if "data" in each and "event" not in each
            ]
            assert len(came) == count
            got += [(each["subject"].partition(".")[0], each["seq"]) for each in came]
            last = [each["id"] for each in rest if "id" in each][-1]
            if history == "all":
                assert sum(each.sequence for each in read_cursors(last)) == len(got)
        assert sorted(got) == sorted((name, n) for name in (token, another) for n in expected)

    await asyncio.to_thread(look)


async def test_what_is_followed_no_more_is_in_no_id(
    client: Client, stream_gateway: Gateway
) -> None:
    name, token = await ten(client)
    _, another = await ten(client)
    cursor = await place(client, name)
    query = f"subjects={token}.a&subjects={another}.a&history=new"
    reader = await asyncio.to_thread(read, stream_gateway, query)

    def leave() -> None:
        found = [*events(reader), *events(reader)]
        connection = next(each["connection_id"] for _, each in found if "connection_id" in each)
        post(
            stream_gateway,
            connection_id=connection,
            subjects=[f"{another}.a"],
            action="unsubscribe",
        )

    with reader:
        await asyncio.to_thread(leave)
        await client.publish(f"{token}.a", b"1")
        event = await asyncio.to_thread(reader.event)
        assert event["id"] == f"{cursor}.11"


async def test_live_false_ends_with_a_stream_that_is_deleted_meanwhile(
    client: Client, stream_server: NatsServer, log: Path
) -> None:
    name, token = await ten(client)
    for _ in range(1000):
        await client.publish(f"{token}.a", b'"%s"' % (b"x" * 10000))
    await until_stored(client, name, 1010)
    settings = {"write_timeout": 60, "max_pending_bytes": 65536}
    service = Gateway(stream_server.url, log=log, **settings)
    with running(service):
        query = f"subjects={token}.>&history=all&live=false"
        slow = await asyncio.to_thread(HttpReader, service.port, query, SSE, receive_buffer=4096)
        with slow, HttpReader(service.port, f"subjects={token}.>&history=new") as other:
            await api(client, f"STREAM.DELETE.{name}")

            def look() -> None:
                while other.next().get("code") != "stream_gone":
                    pass
                rest = slow.rest().split("\n\n")
                assert '"code":"stream_gone"' in rest[-2]

            await asyncio.to_thread(look)


async def test_what_a_post_adds_moves_no_id(client: Client, stream_gateway: Gateway) -> None:
    """Who comes back asks for what is in its query, and for nothing else."""
    name, token = await ten(client)
    cursor = await place(client, name)

    def look() -> None:
        with read(stream_gateway, f"subjects={token}.a&history=last:2") as reader:
            found = events(reader)
            connection = next(each["connection_id"] for _, each in found if "connection_id" in each)
            assert found[-1][0] == f"{cursor}.10"
            (answer,) = post(
                stream_gateway, connection_id=connection, subjects=[f"{token}.b"], history="all"
            )
            assert answer["success"]
            *came, live = events(reader)
            assert [(at, each["seq"]) for at, each in messages(came)] == [
                ("", n) for n in (1, 3, 5, 7, 9)
            ]
            assert live[0] == f"{cursor}.10"

    await asyncio.to_thread(look)


async def test_a_stream_made_again_has_other_ids(client: Client, stream_gateway: Gateway) -> None:
    name, token = await ten(client)
    cursor = await place(client, name)
    reader = await asyncio.to_thread(read, stream_gateway, f"subjects={token}.>&history=all")
    with reader:
        assert (await asyncio.to_thread(events, reader))[-1][0] == f"{cursor}.10"
        await make_stream(client, name, [f"{token}.>"])
        fresh = await place(client, name)
        assert fresh != cursor
        for number in range(3):
            await client.publish(f"{token}.a", b"%d" % number)
        told = (await asyncio.to_thread(events, reader, "missed"))[-1]
        assert (told[0], told[1]["reason"]) == (f"{fresh}.0", "stream_new")
        for number in range(1, 4):
            event = await asyncio.to_thread(reader.event)
            assert event["id"] == f"{fresh}.{number}"

    def come_back() -> None:
        with read(stream_gateway, f"subjects={token}.>&history=all", f"{cursor}.10") as again:
            came = events(again)
            assert [at for at, _ in messages(came)] == [f"{fresh}.{n}" for n in (1, 2, 3)]

    await asyncio.to_thread(come_back)


SENT, SLOWLY = 2000, 50


async def test_who_comes_back_again_and_again_gets_each_message_of_two_streams_once(
    client: Client, stream_server: NatsServer, log: Path
) -> None:
    """One stream is fast and the other slow; readers are slower than both, and fall behind."""
    (fast, fasts), (slow, slows) = await ten(client), await ten(client)
    service = Gateway(stream_server.url, log=log, max_pending_bytes=65536)

    async def publish() -> None:
        for number in range(SENT):
            await client.publish(f"{fasts}.a", b'"%s"' % (b"x" * 500))
            if number % (SENT // SLOWLY) == 0:
                await client.publish(f"{slows}.a", b"1")
                await asyncio.sleep(0.02)
        await until_stored(client, fast, SENT + 10)
        await until_stored(client, slow, SLOWLY + 10)

    def read_all(seed: int) -> tuple[int, dict[str, list[int]]]:
        chance = random.Random(seed)
        last, turns = "", 0
        got: dict[str, list[int]] = {fasts: [], slows: []}
        query = f"subjects={fasts}.>&subjects={slows}.>&history=all"
        missing = SENT + SLOWLY + 20
        while missing:
            turns += 1
            headers = SSE | ({"Last-Event-ID": last} if last else {})
            with HttpReader(service.port, query, headers, receive_buffer=16384) as reader:
                count = min(chance.randint(1, 300), missing)
                while count:
                    event = reader.event()
                    last = event.get("id", last)
                    assert last.count("/") or not last
                    if "data" in event and "event" not in event:
                        message = json.loads(event["data"])
                        got[message["subject"].partition(".")[0]].append(message["seq"])
                        missing, count = missing - 1, count - 1
                    if chance.random() < 0.001:
                        time.sleep(0.2)
                if chance.random() < 0.5:
                    reader.vanish()
        return turns, got

    with running(service):
        readers = [asyncio.to_thread(read_all, seed) for seed in range(4)]
        publishing = asyncio.create_task(publish())
        for turns, got in await asyncio.gather(*readers):
            assert turns > 5
            assert got[fasts] == [*range(1, SENT + 11)]
            assert got[slows] == [*range(1, SLOWLY + 11)]
        await publishing
