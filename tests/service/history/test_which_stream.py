"""Which stream has the past of a pattern, and why there is none."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import Any

import pytest

from bridge.history import pages
from bridge.history.errors import NoHistoryError, NotPermittedError, UnansweredError
from bridge.history.js_api import JetStream
from bridge.history.keeper import Keeper
from bridge.history.own_rights import OwnRights, ask_rights
from bridge.history.pages import Pages
from bridge.history.streams import Streams, ask_info
from bridge.history.tail import Tail
from bridge.nats_link.client import NATSLink
from tests.support.followers import Follower
from tests.support.jetstream import api, jetstream, make_stream, plain_client, until_stored
from tests.support.linked import linked
from tests.support.servers import NatsServer, eventually, running

API = "$JS.API."
NEEDED = [
    "STREAM.NAMES",
    "STREAM.INFO.*",
    "STREAM.MSG.GET.*",
    "DIRECT.GET.*",
    "CONSUMER.CREATE.*.*",
    "CONSUMER.DELETE.*.*",
]


async def test_the_one_stream_that_holds_a_pattern_is_found(stream_server: NatsServer) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "ONE", ["one.>", "uno"])
        await make_stream(client, "PART", ["part.a", "part.b", "elsewhere"])
        await make_stream(client, "KV_bucket", ["$KV.bucket.>"])
        await make_stream(client, "QUEUE", ["queue.>"], retention="workqueue")
        await make_stream(client, "MIRROR", [], mirror={"name": "ONE"})
        js = JetStream(link)
        found = {
            (pattern, named): await outcome(js, pattern, named)
            for pattern, named in [
                ("one.*", None),
                ("uno", None),
                ("one.a", "MIRROR"),
                ("$KV.bucket.>", None),
                ("$KV.bucket.key", None),
                ("$KV.other.>", None),
                ("part.*", None),
                ("part.*", "PART"),
                ("*.a", None),
                ("queue.a", None),
                ("nothing", None),
                ("one.a", "NONE"),
                ("two", "ONE"),
            ]
        }
        assert found == {
            ("one.*", None): "ONE",
            ("uno", None): "ONE",
            ("one.a", "MIRROR"): "MIRROR",
            ("$KV.bucket.>", None): "KV_bucket",
            ("$KV.bucket.key", None): "KV_bucket",
            ("$KV.other.>", None): "no_stream: there is no such stream",
            ("part.*", None): "partly: the stream 'PART' holds only part of it: 'part.a', 'part.b'",
            ("part.*", "PART"): "PART",
            ("*.a", None): "several_streams: several streams hold it: 'ONE', 'PART', 'QUEUE'",
            (
                "queue.a",
                None,
            ): "retention: the stream 'QUEUE' keeps messages only until somebody has taken them",
            ("nothing", None): "no_stream: no stream holds it",
            ("one.a", "NONE"): "no_stream: there is no such stream",
            ("two", "ONE"): "no_stream: the stream 'ONE' holds none of it",
        }
        for name in ("MIRROR", "ONE", "PART", "KV_bucket", "QUEUE"):
            await api(client, f"STREAM.DELETE.{name}")


async def test_those_who_ask_for_the_same_share_an_answer(stream_server: NatsServer) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "ONE", ["one.>"])
        js = Counting(link)
        streams = Streams(js)
        for pattern, requests in (("one.a", 2), ("none", 1)):
            js.asked = 0
            finding = [streams.find(pattern) for _ in range(1000)]
            outcomes = await asyncio.gather(*finding, return_exceptions=True)
            assert len({str(each) for each in outcomes}) == 1
            with contextlib.suppress(NoHistoryError):
                await streams.find(pattern)
            assert js.asked == requests
        await api(client, "STREAM.DELETE.ONE")


async def test_what_was_not_answered_is_asked_again(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with linked(server.url) as link:
            streams = Streams(JetStream(link))
            server.stop()
            await eventually(lambda: not link.is_connected)
            with pytest.raises(UnansweredError):
                await streams.find("a")
            await asyncio.to_thread(server.start)
            await eventually(lambda: link.is_connected)
            with pytest.raises(NoHistoryError):
                await streams.find("a")


class Counting(JetStream):
    """Counts what is asked."""

    asked = 0

    async def ask(self, what: str, *args: Any, **options: Any) -> dict[str, Any]:
        self.asked += 1
        return await super().ask(what, *args, **options)


async def outcome(js: JetStream, pattern: str, named: str | None = None) -> str:
    """Return the name of the stream, or the reason and its words."""
    try:
        return (await Streams(js).find(pattern, named)).name
    except NoHistoryError as error:
        return f"{error.reason}: {error}"


class Noting(JetStream):
    """Notes what it is asked."""

    def __init__(self, link: NATSLink) -> None:
        super().__init__(link)
        self.asked: list[str] = []

    async def ask(self, what: str, *more: Any, **options: Any) -> dict[str, Any]:
        self.asked.append(what)
        return await super().ask(what, *more, **options)


async def test_a_stream_is_asked_for_once_however_many_patterns_it_contains(
    stream_server: NatsServer,
) -> None:
    async with plain_client(stream_server) as client, linked(stream_server.url) as link:
        await make_stream(client, "MANY", ["many.>"])
        js = Noting(link)
        streams = Streams(js)
        for number in range(100):
            assert (await streams.find(f"many.{number}")).name == "MANY"
        assert js.asked == ["STREAM.NAMES", "STREAM.INFO.MANY"]
        with pytest.raises(NoHistoryError):
            await streams.find("more.>")
        await api(client, "STREAM.DELETE.MANY")


async def test_without_jetstream_there_is_none(nats_server: NatsServer) -> None:
    async with linked(nats_server.url) as link:
        assert await outcome(JetStream(link), "a") == "no_jetstream: NATS has no JetStream here"


async def test_an_account_without_jetstream_has_none(tmp_path: Path) -> None:
    accounts = "accounts { A: { users: [{user: u, password: p}] } }"
    with running(NatsServer(tmp_path, jetstream(tmp_path, accounts))) as server:
        async with linked(server.url) as link:
            found = await outcome(JetStream(link), "a")
            assert found == "no_jetstream: JetStream is not enabled for this account"


def limited(folder: Path, missing: str = "", subscribe: str = '["_INBOX.nats_bridge.>"]') -> str:
    """Return a configuration where `u` may do what history needs, but for one thing."""
    rights = [API + each for each in NEEDED if each != missing]
    rights += ["$JS.FC.>"] + (["$SYS.REQ.USER.INFO"] if missing != "USER" else [])
    names = ", ".join(f'"{each}"' for each in rights)
    limits = f"permissions: {{ publish: [{names}], subscribe: {subscribe} }}"
    users = f"{{ user: u, password: p, {limits} }}, {{ user: all, password: p }}"
    return jetstream(folder, f"authorization {{ users: [{users}] }}\nno_auth_user: all\n")


@pytest.mark.parametrize("missing", ["", *NEEDED])
async def test_a_missing_right_is_named_at_once(
    tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also that these rights are all that is needed."""
    monkeypatch.setattr(pages, "MAX_STRETCH", 0)  # who reads alone asks the leader
    with running(NatsServer(tmp_path, limited(tmp_path, missing))) as server:
        async with plain_client(server) as client, linked(server.url) as link:
            await make_stream(client, "S", ["s.>"])
            for _ in range(5):
                await client.publish("s.a", b"x")
            await until_stored(client, "S", 5)
            follower, failure = None, ""
            try:
                follower = await follow_all(JetStream(link))
            except (NoHistoryError, NotPermittedError) as error:
                failure = str(error)
            if missing in ("", "CONSUMER.DELETE.*.*"):
                assert follower is not None
                assert [each.sequence for each in follower.got] == [1, 2, 3, 4, 5]
            else:
                named = re.escape(API + missing).replace(r"\*", "[^.]+")
                assert re.search(f"'{named}'", failure), failure


async def follow_all(js: JetStream) -> Follower:
    """Find a stream, and read all of it: the leader is asked for what there is of `s.b`."""
    await Streams(js).find("s.>")
    tail = Tail(await ask_info(js, "S", 5))
    keeper = Keeper(js, tail)
    try:
        await keeper.include(["s.>", "s.b"])
        await Pages(js).read(tail, "s.b", 0)
        follower = Follower(keeper, Pages(js), {"s.>": 0})
        await follower.join()
        return follower
    finally:
        await keeper.close()


@pytest.mark.parametrize(
    ("subscribe", "rights"),
    [
        ('["_INBOX.nats_bridge.>", "a.>"]', OwnRights(("_INBOX.nats_bridge.>", "a.>"), ())),
        ('{ deny: ["a.b", "c queue"] }', OwnRights(None, ("a.b",))),
    ],
)
async def test_nats_tells_what_its_user_may_subscribe_to(
    tmp_path: Path, subscribe: str, rights: OwnRights
) -> None:
    with running(NatsServer(tmp_path, limited(tmp_path, subscribe=subscribe))) as server:
        async with linked(server.url) as link:
            assert await ask_rights(JetStream(link)) == rights


async def test_a_user_without_limits_may_all(stream_server: NatsServer) -> None:
    async with linked(stream_server.url) as link:
        assert await ask_rights(JetStream(link)) == OwnRights(None, ())


async def test_without_the_right_to_ask_for_rights_it_is_said(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, limited(tmp_path, "USER"))) as server:
        async with linked(server.url) as link:
            with pytest.raises(NotPermittedError, match=re.escape("$SYS.REQ.USER.INFO")):
                await ask_rights(JetStream(link))


async def test_an_inbox_that_may_not_be_subscribed_to_is_named(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, limited(tmp_path, subscribe='["a.>"]'))) as server:
        async with linked(server.url) as link:
            with pytest.raises(NotPermittedError, match=r"_INBOX\.nats_bridge"):
                await ask_rights(JetStream(link))
