"""Without one right or another at NATS, the past is refused by its name, and all else goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.msg import Msg

from bridge.history.pages import MAX_STRETCH
from tests.service.history.browsers import is_well
from tests.support.browser_client import Browser
from tests.support.jetstream import jetstream, make_stream, plain_client, until_stored
from tests.support.servers import Gateway, NatsServer, running

ALL = {
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.INFO.*",
    "$JS.API.STREAM.MSG.GET.*",
    "$JS.API.DIRECT.GET.*",
    "$JS.API.CONSUMER.CREATE.*.*",
    "$JS.API.CONSUMER.DELETE.*.*",
    "$JS.API.CONSUMER.MSG.NEXT.*.*",
    "$JS.FC.>",
    "$SYS.REQ.USER.INFO",
    "nats_bridge.>",
    "_INBOX.nats_bridge.>",
}
STORED = MAX_STRETCH + 10
"""So many that who wants few of them reads alone, and asks the leader."""
ANSWERED_SECONDS = 4
"""A second, and what a busy machine adds."""


def limited(folder: Path, missing: str) -> str:
    names = ", ".join(f'"{each}"' for each in sorted(ALL - {missing}))
    inboxes = "" if missing == "inboxes" else '"_INBOX.nats_bridge.>", '
    rights = f'publish: [{names}], subscribe: [{inboxes}"nats_bridge.>", "s.>"]'
    users = f"{{ user: bridge, password: p, permissions: {{ {rights} }} }}"
    users += ", { user: all, password: p }"
    return jetstream(folder, f"authorization {{ users: [{users}] }}\nno_auth_user: all\n")


WISHES = ["new", "all", "last_per_subject", {"last": 3}, {"since": "1h"}, {"seq": 2}]


@pytest.mark.parametrize("missing", ["", "inboxes", *sorted(ALL - {"nats_bridge.>"})])
async def test_a_right_that_is_missing_is_named_and_nothing_else_suffers(
    tmp_path: Path, missing: str
) -> None:
    server = NatsServer(tmp_path, limited(tmp_path, missing))
    with running(server):
        async with plain_client(server) as client:
            # Without the right to pull, a stream that serves no direct gets cannot be read.
            is_direct = "MSG.NEXT" not in missing
            await make_stream(client, "S", ["s.>"], allow_direct=is_direct)
            for number in range(STORED):
                await client.publish(f"s.{'ab'[number % 2]}", b"%d" % number)
            await until_stored(client, "S", STORED)
            settings = {"nats_user": "bridge", "nats_password": "p", "max_replay": 10}
            with running(Gateway(server.url, log=tmp_path / "log", **settings)) as gateway:
                async with Browser(gateway.stream) as browser, Browser(gateway.stream) as plain:
                    await plain.subscribe("s.>")
                    for wish in WISHES:
                        for pattern in ("s.>", "s.none"):
                            said = await what_comes(browser, pattern, wish)
                            if said != "live":
                                assert said.startswith("no_history not_permitted"), said
                                assert is_named(missing, said), said
                            else:
                                assert may_go_without(missing, pattern, wish)
                    await client.publish("s.a", b"1")
                    assert await plain.next() == {"subject": "s.a", "data": 1}
                    answer = await browser.ask({"subjects": ["s.*"], "history": "auto"})
                    assert answer["success"] is True
                assert is_well(gateway)


def is_named(missing: str, text: str) -> bool:
    name = {"inboxes": "_INBOX.nats_bridge."}.get(missing, missing)
    return f"'{name.split('*')[0].rstrip('>')}" in text


def may_go_without(missing: str, pattern: str, wish: Any) -> bool:
    """Tell whether a right is not needed for that: only some reads have to ask the leader."""
    if "GET" in missing or "NEXT" in missing:
        return wish == "new" or ("MSG.GET" in missing and pattern == "s.>")
    return missing in ("", "$JS.API.CONSUMER.DELETE.*.*", "$JS.FC.>", "_INBOX.nats_bridge.>")


async def test_without_flow_control_a_tail_goes_on(tmp_path: Path) -> None:
    """The server asks whether it may go on, and does not hear that it may."""
    with running(NatsServer(tmp_path, limited(tmp_path, "$JS.FC.>"))) as server:
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            settings = {"nats_user": "bridge", "nats_password": "p"}
            with running(Gateway(server.url, log=tmp_path / "log", **settings)) as gateway:
                async with Browser(gateway.stream) as browser:
                    await browser.ask({"subjects": ["s.>"], "history": "new"})
                    for number in range(3000):
                        await client.publish("s.a", b'"%d %s"' % (number, b"x" * 5000))
                    got = 0
                    while got < 3000:
                        line = await browser.next()
                        if "data" in line:
                            got += 1
                            assert line["seq"] == got
                    # Another consumer is made once, and not each time that it has to go on.
                    assert gateway.figures()["bridge_history_consumers_total"] == 2


async def what_comes(browser: Browser, pattern: str, wish: Any) -> str:
    """Return the end of it: that it is live, or what names the right that is missing."""
    try:
        async with asyncio.timeout(ANSWERED_SECONDS):
            line = await browser.ask({"subjects": [pattern], "history": wish})
            while line.get("status") != "live":
                if line.get("success") is False:
                    return f"{line['code']} {line.get('reason')}: {line['message']}"
                line = await browser.next()
    except TimeoutError:
        return "NOTHING"
    await browser.ask({"action": "unsubscribe", "subjects": [pattern]})
    return "live"


async def test_who_need_not_have_the_past_waits_once_for_a_jetstream_that_is_silent(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    with running(NatsServer(tmp_path)) as server, running(Gateway(server.url, log=log)) as gateway:
        client = await nats.connect(server.url)

        async def say_nothing(message: Msg) -> None:
            asked.append(message.subject)

        asked: list[str] = []
        await client.subscribe("$JS.API.>", cb=say_nothing)
        await client.flush()
        async with Browser(gateway.stream) as browser:
            for subject in ("a.1", "a.2", "a.3"):
                answer = await browser.ask({"subjects": [subject], "history": "auto"})
                assert answer["success"] is True
                assert "history" not in answer
        assert asked == ["$JS.API.STREAM.NAMES"]
        await client.close()
