"""What there is to follow is told to who may follow it, within bounds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import fill
from tests.support import readme
from tests.support.browser_client import Browser
from tests.support.jetstream import jetstream, make_stream, plain_client, until_stored
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, http, running

MANY = 100_000
TOKEN = "the-token-of-somebody-who-looks"


async def look(browser: Browser, *patterns: str) -> Any:
    """Ask what there is; answers are kept for a moment, so another pattern is another question."""
    return await browser.ask({"action": "subjects", "subjects": list(patterns), "id": 7})


def stored(answer: Any) -> dict[str, Any]:
    """Return what an answer says of each stream."""
    return {each["stream"]: (each["messages"], each["more"]) for each in answer["stored"]}


async def test_subjects_of_streams_and_keys_of_buckets_are_told(
    client: Client, stream_gateway: Gateway
) -> None:
    await make_stream(client, "W", ["w.>"])
    await make_stream(client, "KV_w", ["$KV.w.>"], max_msgs_per_subject=1)
    await make_stream(client, "EMPTY", ["empty.>"])
    await fill(client, "W", ["w.a", "w.b.c"], [b"1"] * 3)
    await fill(client, "KV_w", ["$KV.w.theme"], [b"dark"])
    async with Browser(stream_gateway.stream) as browser:
        answer = await look(browser, "w.>", "$KV.w.>", "empty.>")
        assert answer == {
            "success": True,
            "action": "subjects",
            "subjects": ["w.>", "$KV.w.>", "empty.>"],
            "stored": [
                {"stream": "KV_w", "messages": {"$KV.w.theme": 1}, "more": 0},
                {"stream": "W", "messages": {"w.a": 2, "w.b.c": 1}, "more": 0},
            ],
            "seen": [],
            "more": 0,
            "complete": True,
            "id": 7,
        }
        assert stored(await look(browser, "w.b.>")) == {"W": ({"w.b.c": 1}, 0)}


async def test_what_came_by_is_told_and_again_after_nobody_follows_it(
    client: Client, stream_gateway: Gateway
) -> None:
    async with Browser(stream_gateway.stream) as browser, Browser(stream_gateway.stream) as other:
        await other.subscribe("by.>")
        await client.publish("by.a", b"1")
        await client.publish("by.b.c", b"1")
        assert (await other.next())["subject"] == "by.a"
        assert (await other.next())["subject"] == "by.b.c"
        assert (await look(browser, "by.>"))["seen"] == ["by.a", "by.b.c"]
        await other.ask({"subjects": ["by.>"], "action": "unsubscribe"})
        assert (await look(browser, "by.*"))["seen"] == ["by.a"]


@pytest.fixture
async def guarded(tmp_path: Path) -> Any:
    """A gateway that asks for a token, and a client of its NATS server."""
    server = NatsServer(tmp_path, jetstream(tmp_path))
    tokens = tmp_path / "tokens"
    grants = {"allow": ["s.>", "live.>"], "deny": ["*.closed.>"], "history": ["s.>"]}
    rights = [
        {"name": "some", "token": TOKEN, **grants},
        {"name": "all", "token": f"{TOKEN}-all", "allow": [">"]},
        {"name": "none", "token": f"{TOKEN}-none", "allow": ["s.>"], "history": []},
    ]
    tokens.write_text("\n".join(map(json.dumps, rights)))
    gateway = Gateway(server.url, log=tmp_path / "log", tokens_file=tokens)
    with running(server), running(gateway):
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>", "other.>"])
            await make_stream(client, "KV_s", ["$KV.s.>"])
            subjects = ["s.a", "s.closed.b", "other.a"]
            await fill(client, "S", subjects, [b"1"] * 3)
            await fill(client, "KV_s", ["$KV.s.key"], [b"1"])
            yield gateway, client


async def test_nobody_is_told_of_a_subject_that_was_not_granted(guarded: Any) -> None:
    gateway, client = guarded
    async with (
        Browser(gateway.stream, TOKEN) as some,
        Browser(gateway.stream, f"{TOKEN}-all") as everybody,
    ):
        await everybody.subscribe("live.>", "lost.>")
        for subject in ("live.a", "live.closed.b", "lost.a", "live.end"):
            await client.publish(subject, b"1")
        while (await everybody.next())["subject"] != "live.end":
            pass
        answer = await look(some, ">")
        assert stored(answer) == {"S": ({"s.a": 1}, 0)}
        assert answer["seen"] == ["live.a", "live.end"]
        answer = await look(everybody, ">")
        assert stored(answer) == {"S": ({"other.a": 1, "s.a": 1, "s.closed.b": 1}, 0)}
        assert answer["seen"] == ["live.a", "live.closed.b", "live.end", "lost.a"]


async def test_whose_past_may_not_be_read_is_not_told_either(guarded: Any) -> None:
    gateway, _ = guarded
    async with Browser(gateway.stream, f"{TOKEN}-none") as nobody:
        answer = await look(nobody, ">")
        assert (answer["stored"], answer["reason"]) == ([], "off")


async def test_a_gateway_is_not_told_what_nats_denies_it(tmp_path: Path) -> None:
    config = readme.block("conf").replace("\u2026", "p")
    config = config.replace("users: [", "users: [ { user: all, password: p },", 1)
    server = NatsServer(tmp_path, jetstream(tmp_path, f"{config}\nno_auth_user: all\n"))
    address = server.url.replace("//", "//gateway:p@")
    with running(server), running(Gateway(address, log=tmp_path / "log")) as gateway:
        async with plain_client(server) as client, Browser(gateway.stream) as browser:
            await make_stream(client, "BOTH", ["sensors.*", "hidden.*"])
            await fill(client, "BOTH", ["sensors.1", "hidden.1"], [b"1"] * 2)
            assert stored(await look(browser, ">")) == {"BOTH": ({"sensors.1": 1}, 0)}


async def test_without_jetstream_it_is_told_what_came_by(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    with running(Gateway(nats_server.url, log=tmp_path / "log")) as gateway:
        async with plain_client(nats_server) as client, Browser(gateway.stream) as browser:
            await browser.subscribe("by.>")
            await client.publish("by.a", b"1")
            await browser.next()
            answer = await look(browser, ">")
            assert (answer["stored"], answer["seen"]) == ([], ["by.a"])
            assert (answer["complete"], answer["reason"]) == (True, "no_jetstream")


async def test_of_very_many_subjects_some_of_each_branch_are_told(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, jetstream(tmp_path))
    with running(server), running(Gateway(server.url, log=tmp_path / "log")) as gateway:
        async with plain_client(server) as client, Browser(gateway.stream) as browser:
            await make_stream(client, "MANY", ["many.>"], storage="memory")
            await make_stream(client, "FEW", ["zoo.>"])
            with RawNats(server.port) as raw:
                for first in range(0, MANY, 1000):
                    subjects = (f"many.d{n:05}.state" for n in range(first, first + 1000))
                    raw.send(b"".join(RawNats.command(each.encode(), b"1") for each in subjects))
            await until_stored(client, "MANY", MANY)
            await fill(client, "FEW", ["zoo.a"], [b"1"])
            async with Browser(gateway.stream) as follower:
                await follower.subscribe("live")
                asking = asyncio.create_task(look(browser, ">"))
                await client.publish("live", b"1")
                assert (await follower.next())["subject"] == "live"
                answer = await asking
            assert len(json.dumps(answer)) < 1_000_000
            told = stored(answer)
            assert told["FEW"] == ({"zoo.a": 1}, 0)
            messages, more = told["MANY"]
            assert len(messages) + more == MANY
            assert 5000 < len(messages) < 10_000
            assert answer["complete"] is True
            assert stored(await look(browser, "many.d99999.>")) == {
                "MANY": ({"many.d99999.state": 1}, 0)
            }


async def test_questions_are_bounded_and_the_same_one_costs_nothing(
    stream_server: NatsServer, tmp_path: Path
) -> None:
    with running(Gateway(stream_server.url, log=tmp_path / "log")) as gateway:
        async with Browser(gateway.stream) as browser:
            same = [await look(browser, "often") for _ in range(20)]
            assert all(each["success"] for each in same)
            others = [await look(browser, f"often.{number}") for number in range(8)]
            assert others[-1]["code"] == "rate_limited"
            assert "Others are looking" in others[-1]["message"]
            assert gateway.figures()['bridge_requests_total{action="subjects"}'] == 28


async def test_a_silent_nats_is_not_waited_for_long(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, jetstream(tmp_path))
    with running(server), running(Gateway(server.url, log=tmp_path / "log")) as gateway:
        async with Browser(gateway.stream) as browser:
            server.freeze()
            answer = await look(browser, ">")
            server.thaw()
            assert (answer["stored"], answer["complete"]) == ([], False)
            assert answer["reason"] == "nats_down"


async def test_a_question_by_http_is_answered(stream_gateway: Gateway) -> None:
    async with Browser(stream_gateway.stream) as browser:
        question = {"action": "subjects", "subjects": "posted", "id": 1}
        body = json.dumps({**question, "connection_id": browser.connection_id}).encode()
        status, text = await asyncio.to_thread(http, f"{stream_gateway.url}/stream", body)
        (answer,) = json.loads(text)
        assert (status, answer["success"], answer["subjects"]) == (200, True, ["posted"])


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        ({"subjects": ["a..b"]}, "bad_subject", "'a..b' is not a valid subject"),
        ({"subjects": [f"a{n}" for n in range(9)]}, "bad_request", "Look at 8 patterns at most."),
        ({"subjects": []}, "bad_request", "subjects has to hold"),
        ({"subjects": ["a"], "meta": ["time"]}, "bad_request", "'meta' belongs to subscribe."),
        ({}, "bad_request", "subjects required"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(
    stream_gateway: Gateway, request_: dict[str, Any], code: str, text: str
) -> None:
    async with Browser(stream_gateway.stream) as browser:
        answer = await browser.ask({"action": "subjects", **request_})
        assert answer["code"] == code
        assert text in answer["message"]
