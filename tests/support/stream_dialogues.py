"""Dialogues with real gateways about streams: all that is said of the past, on a tape."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from tests.support.browser_client import Browser
from tests.support.jetstream import api, jetstream, make_stream, plain_client, until_stored
from tests.support.servers import Gateway, NatsServer, running
from tests.support.tape import Said, Scene, Taped

MAX_REPLAY = 20
LOOK = {"action": "subjects", "subjects": [">"]}
ACCOUNTS = """
accounts {
  WITH { jetstream: enabled, users: [
    { user: all, password: p },
    { user: some, password: p, permissions: { subscribe: { deny: "closed.>" } } },
    { user: blind, password: p, permissions: { publish: { deny: "$JS.>" } } } ] }
  WITHOUT { users: [{ user: none, password: p }] }
}
no_auth_user: all
"""


async def past(subject: str, history: object, browser: Taped, **more: object) -> Any:
    """Ask for the past of a subject; return the response, if there is a stream once it is live."""
    answer = await browser.ask({"subjects": [subject], "history": history, **more})
    if "history" in answer:
        await until(browser, "live")
    return answer


async def until(browser: Taped, status: str, reason: str | None = None) -> Any:
    """Return the next notice with this status, and this reason."""
    while (found := await browser.next()).get("status") != status or found.get("reason") != reason:
        pass
    return found


async def from_streams(scene: Scene) -> None:
    """Each form of history, what answers it, messages of each kind, live; resumes."""
    async with plain_client(scene.nats) as client:
        await make_stream(client, "PAST", ["past.>"])
        for payload in (b'{"total": 21.50}', b"plain text", b"\xff\xd8"):
            await client.publish("past.a", payload, headers={"Nats-Msg-Id": str(len(payload))})
        await client.publish("past.b", b"", headers={"KV-Operation": "DEL"})
        await until_stored(client, "PAST", 4)
        ways = ["new", "all", "last_per_subject", {"last": 2}, {"seq": 2}, {"since": "5m"}]
        for way in (*ways, {"since": "2026-03-01T12:00:00.5+01:00"}):
            async with scene.connect() as browser:
                assert "history" in await past("past.>", way, browser, stream="PAST", id=1)
        async with scene.connect() as browser:
            assert (await browser.ask({**LOOK, "subjects": "past.>"}))["stored"]
            both = {"subjects": ["past.a", "none.past"], "history": "auto", "max_rate": 2}
            assert "history" not in await browser.ask(both)
            meta = ["time", "reply", "headers"]
            await past("past.>", "auto", browser, meta=meta)
            for subject, headers in (("past.a", None), ("past.b", {"KV-Operation": "PURGE"})):
                await client.publish(subject, b"1", headers=headers)
                while (await browser.next())["subject"] != subject:
                    pass
            await browser.refused("already_followed", {"subjects": ["past.>"], "history": "all"})
            own = {"connection_id": browser.connection_id, "subjects": "past.b"}
            assert await scene.post({**own, "history": "all", "id": 3}) == 200
        await resumes(scene, client)
        await made_again(scene, client)
        await not_fast_enough(scene, client, "too_many")
        await not_fast_enough(scene, client, "expired")


async def resumes(scene: Scene, client: Client) -> None:
    """A resume that goes on, and each reason why one does not."""
    async with scene.connect() as browser:
        epoch = (await past("past.>", "new", browser))["history"]["epoch"]
    for _ in range(MAX_REPLAY):
        await client.publish("past.c", b"1")
    await until_stored(client, "PAST", 6 + MAX_REPLAY)

    async def resumed(cursor: str) -> str | None:
        async with scene.connect() as browser:
            said = (await past("past.>", {"after": cursor}, browser))["history"]
            assert said["resumed"] == ("reason" not in said)
            return said.get("reason")

    assert await resumed(f"OTHER.{epoch}.7/PAST.{epoch}.23") is None
    assert await resumed(f"PAST.{epoch}.1") == "too_many"
    assert await resumed(f"PAST.{epoch}.1000") == "ahead"
    assert await resumed(f"OTHER.{epoch}.7") == "unknown"
    async with scene.connect() as browser:
        assert (await past("past.>", "all", browser))["history"]["reason"] == "too_many"
    await api(client, "STREAM.PURGE.PAST", {"seq": 20})
    assert await resumed(f"PAST.{epoch}.1") == "expired"  # the ring begins after it
    assert await resumed(f"PAST.a{epoch}.7") == "stream_new"


async def made_again(scene: Scene, client: Client) -> None:
    """What another stream has lost is missed. Whoever asks for more has the gateway look."""
    async with scene.connect() as browser:
        await past("past.*", "new", browser)
        await make_stream(client, "PAST", ["past.>"])
        async with scene.connect() as other:
            await past("past.*.new", "new", other)
        await until(browser, "missed", "stream_new")


async def not_fast_enough(scene: Scene, client: Client, reason: str) -> None:
    """behind, and live again; what comes meanwhile is too much, or is there no more."""
    name, subject = reason.upper(), f"fast.{reason}"
    await make_stream(client, name, [subject], max_bytes=2**25)
    async with Browser(scene.open.stream) as browser:
        await browser.ask({"subjects": [subject], "history": "new"})
        browser.ws.transport.pause_reading()
        payload = b'"' + b"x" * 9998 + b'"'
        for number in range(1, 2001):
            await client.publish(subject, payload)
            if number % 100 == 0:
                await until_stored(client, name, number)
        if reason == "expired":
            await api(client, f"STREAM.PURGE.{name}", {"keep": 5})
        await asyncio.sleep(1.5)  # it is told after a second
        browser.ws.transport.resume_reading()
        told: dict[tuple[str, str | None], bool] = {}
        while not told.keys() >= {("behind", None), ("missed", reason), ("live", None)}:
            text = await browser.frame()
            if text.startswith('{"status"'):
                scene.note(Said("stream", "send", text))  # and not all those messages
                line = json.loads(text)
                told[line["status"], line.get("reason")] = True


async def no_history(scene: Scene) -> None:
    """Each reason why there is none."""
    async with plain_client(scene.nats) as client:
        await make_stream(client, "PART", ["part.a", "part.b"])
        await make_stream(client, "QUEUE", ["queue.a"], retention="workqueue")
        await make_stream(client, "PAST", ["past.>"])
    ways = {"none": "no_stream", "part.*": "partly", "*.a": "several_streams"}
    async with scene.connect() as browser:
        for subject, reason in {**ways, "queue.a": "retention"}.items():
            assert (await past(subject, "all", browser))["reason"] == reason
    with tempfile.TemporaryDirectory() as name:
        await no_history_for_some(scene, Path(name))


async def no_history_for_some(scene: Scene, folder: Path) -> None:
    """What depends on the gateway's own user, and on what else it follows."""
    server = NatsServer(folder, jetstream(folder, ACCOUNTS))
    address = f"127.0.0.1:{server.port}"
    some = Gateway(f"nats://some:p@{address}", log=folder / "some", max_history_streams=1)
    none = Gateway(f"nats://none:p@{address}", log=folder / "none")
    blind = Gateway(f"nats://blind:p@{address}", log=folder / "blind")
    with running(server), running(some), running(none), running(blind):
        async with plain_client(server) as client:
            for token in ("open", "more", "closed"):
                await make_stream(client, token.upper(), [f"{token}.>"])
        async with scene.connect(some) as browser:
            assert (await past("closed.a", "all", browser))["reason"] == "not_permitted"
            assert "history" in await past("open.a", "all", browser)
            assert (await past("more.a", "all", browser))["reason"] == "too_many_streams"
        async with scene.connect(none) as browser:
            assert (await past("open.a", "all", browser))["reason"] == "no_jetstream"
            assert (await browser.ask(LOOK))["reason"] == "no_jetstream"
        async with scene.connect(blind) as browser:
            assert (await browser.ask(LOOK))["reason"] == "not_permitted"


async def streams_in_an_outage(scene: Scene) -> None:
    """natsUp without a gap; missed, of a stream that was put back; stream_gone."""
    async with plain_client(scene.nats) as client, scene.connect() as browser:
        for name in ("BACK", "GONE"):
            await make_stream(client, name, [name.lower()])
            await past(name.lower(), "all", browser)
        await api(client, "STREAM.DELETE.GONE")
        with tempfile.TemporaryDirectory() as kept:
            await asyncio.to_thread(scene.nats.stop)
            await until(browser, "nats_down")
            (stored,) = scene.nats.folder.rglob("streams/BACK")
            shutil.copytree(stored, kept, dirs_exist_ok=True)
            await asyncio.to_thread(scene.nats.start)
            assert (await until(browser, "nats_up"))["gap"] is False
            await client.publish("back", b"1")
            assert (await browser.next())["seq"] == 1
            await asyncio.to_thread(scene.nats.stop)
            shutil.rmtree(stored)
            shutil.copytree(kept, stored)
            await asyncio.to_thread(scene.nats.start)
        await until(browser, "missed", "ahead")
        while (await browser.next()).get("code") != "stream_gone":
            pass


ALL = [from_streams, no_history, streams_in_an_outage]
