"""What may not be followed is not delivered from a stream either, under no pattern."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.service.history.browsers import is_balanced, is_well, slow_browser
from tests.support.browser_client import Browser
from tests.support.jetstream import api, jetstream, make_stream, plain_client, until_stored
from tests.support.minting import SECRET, token
from tests.support.servers import Gateway, NatsServer, eventually, running

TEXT = b'"%s"' % (b"x" * 1000)
WISHES = ["new", "auto", "all", "last_per_subject", {"last": 100}, {"seq": 1}, {"since": "1h"}]
SUBJECTS = ["s.open", "s.secret", "s.deep.open", "s.deep.secret"]
PATTERNS = ["s.>", "s.*", "s.open", "s.deep.*", "s.deep.>", "*.open"]
RIGHTS = """
authorization {
  users: [
    { user: all, password: p },
    { user: bridge, password: p,
      permissions: { subscribe: { deny: ["*.secret", "s.deep.secret"] } } }
  ]
}
no_auth_user: all
"""


async def filled(server: NatsServer, count: int = 40) -> None:
    async with plain_client(server) as client:
        await make_stream(client, "S", ["s.>"])
        await make_stream(client, "KV_b", ["$KV.b.>"])
        await publish(server, count)
        for number in range(4):
            await client.publish("$KV.b.key", b"%d" % number)
        await until_stored(client, "KV_b", 4)


async def publish(server: NatsServer, count: int, payload: bytes = TEXT) -> None:
    async with plain_client(server) as client:
        before = (await api(client, "STREAM.INFO.S"))["state"]["last_seq"]
        for number in range(count):
            await client.publish(SUBJECTS[number % 4], payload)
        await until_stored(client, "S", before + count)


async def subjects_of(browser: Browser, request: dict[str, Any], server: NatsServer) -> set[str]:
    """Return the subjects of all that comes, stored and live; empty if the pattern is refused."""
    answer = await browser.ask(request)
    if not answer["success"]:
        assert answer["code"] in ("denied", "no_history"), answer
        return set()
    found, line = set(), answer
    while "history" in answer and (line := await browser.next()).get("status") != "live":
        found.add(line["subject"])
    await publish(server, 8, b'"live"')
    async with plain_client(server) as client:
        await client.publish("s.open", b'"end"')
        await client.publish("s.deep.open", b'"end"')
    while line.get("data") != "end":
        if "data" in line:
            found.add(line["subject"])
        line = await browser.next()
    await browser.ask({"action": "unsubscribe", "subjects": request["subjects"]})
    return found


@pytest.mark.parametrize("way", ["deny_subjects", "nats"])
async def test_what_is_denied_comes_under_no_pattern(tmp_path: Path, way: str) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path, RIGHTS))) as server:
        await filled(server)
        settings: dict[str, object] = {"requests_per_second": 1000, "request_burst": 1000}
        if way == "nats":
            settings |= {"nats_user": "bridge", "nats_password": "p"}
        else:
            settings |= {"deny_subjects": "*.secret s.deep.secret"}
        with running(Gateway(server.url, log=tmp_path / "log", **settings)) as gateway:
            for wish in WISHES:
                async with Browser(gateway.stream) as browser:
                    for pattern in PATTERNS:
                        request = {"subjects": [pattern], "history": wish}
                        found = await subjects_of(browser, request, server)
                        assert found <= {"s.open", "s.deep.open"}, (wish, pattern)
                        assert found or pattern == "*.open"
                    for pattern in ("s.secret", "s.deep.secret"):
                        answer = await browser.ask({"subjects": [pattern], "history": wish})
                        assert answer["success"] is False, (wish, pattern)
                    request = {"subjects": [">"], "history": wish, "stream": "S"}
                    found = await subjects_of(browser, request, server)
                    assert found == {"s.open", "s.deep.open"}, wish
            assert is_well(gateway)
            await eventually(lambda: is_balanced(gateway))


async def test_buckets_are_reserved_under_a_named_stream_too(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        await filled(server)
        with running(Gateway(server.url, log=tmp_path / "log")) as gateway:
            async with Browser(gateway.stream) as browser:
                for pattern in (">", "$KV.>", "$KV.b.>", "$KV.b.key", "*.>"):
                    request = {"subjects": [pattern], "history": "all", "stream": "KV_b"}
                    await browser.send({**request, "id": pattern})
                    await browser.send({"action": "ping"})
                    line: dict[str, Any] = {}
                    while line.get("action") != "pong":
                        line = await browser.next()
                        assert "data" not in line
                await asyncio.sleep(0.3)
                await browser.send({"action": "ping", "id": "end"})
                while (line := await browser.next()).get("id") != "end":
                    assert "data" not in line


@pytest.mark.parametrize("is_slow", [False, True])
async def test_fewer_grants_count_in_the_middle_of_a_replay(tmp_path: Path, is_slow: bool) -> None:
    def granted(*allow: str, deny: tuple[str, ...] = ()) -> str:
        nats = {"sub": {"allow": list(allow), "deny": list(deny)}}
        return token("HS256", nats=nats)

    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        await filled(server, 4000)
        (tmp_path / "key").write_text(SECRET + "\n")
        settings: dict[str, object] = {
            "jwt_key": tmp_path / "key",
            "jwt_algorithms": "HS256",
            "max_pending_bytes": 16384,
        }
        with running(Gateway(server.url, log=tmp_path / "log", **settings)) as gateway:
            make = slow_browser(gateway) if is_slow else Browser(gateway.stream)
            make._token = granted("s.>")
            async with make as browser:
                if is_slow:
                    browser.ws.transport.pause_reading()
                await browser.send({"subjects": ["s.>", "s.deep.*"], "history": "all"})
                if is_slow:
                    await asyncio.sleep(0.3)
                await browser.send({"token": granted("s.>", deny=("s.secret", "s.deep.*"))})
                await asyncio.sleep(0.3)
                browser.ws.transport.resume_reading()
                while (line := await browser.next()).get("action") != "token":
                    pass
                found = set()
                while (line := await browser.next()).get("status") != "live":
                    if "data" in line:
                        found.add(line["subject"])
                    elif not line.get("success", True):
                        assert (line["code"], line["subjects"]) == ("denied", ["s.deep.*"])
                assert found == {"s.open"}
                await publish(server, 8, b'"live"')
                got = [await browser.next() for _ in range(2)]
                assert [each["subject"] for each in got] == ["s.open", "s.open"]
            assert is_well(gateway)
            await eventually(lambda: is_balanced(gateway))


async def test_fewer_rights_at_nats_count_once_it_is_back(tmp_path: Path) -> None:
    loose = RIGHTS.replace('deny: ["*.secret", "s.deep.secret"]', 'deny: ["other"]')
    with running(NatsServer(tmp_path, jetstream(tmp_path, loose))) as server:
        await filled(server)
        settings: dict[str, object] = {"nats_user": "bridge", "nats_password": "p"}
        with running(Gateway(server.url, log=tmp_path / "log", **settings)) as gateway:
            async with Browser(gateway.stream) as browser:
                await browser.ask({"subjects": ["s.>"], "history": "new"})
                server.stop()
                server.configure(jetstream(tmp_path, RIGHTS))
                await asyncio.to_thread(server.start)
                while (await browser.next()).get("status") != "nats_up":
                    pass
                await publish(server, 8, b'"live"')
                line: dict[str, Any] = {}
                found = set()
                async with plain_client(server) as client:
                    await client.publish("s.open", b'"end"')
                while line.get("data") != "end":
                    line = await browser.next()
                    if "data" in line:
                        found.add(line["subject"])
                assert found == {"s.open", "s.deep.open"}
