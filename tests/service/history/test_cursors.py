"""A cursor of any kind is answered with what becomes of it, and live messages come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import fill, fresh_stream, sound
from tests.support.browser_client import Browser
from tests.support.jetstream import api
from tests.support.servers import Gateway, NatsServer

STORED = [*range(60, 101)]
"""What is left of a hundred messages."""
ANSWERED_SECONDS = 3
"""A second, and what a busy machine adds."""


@pytest.fixture(scope="module")
def gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that replays little."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    with sound(Gateway(stream_server.url, log=log, max_replay=50)) as gateway:
        yield gateway


@pytest.mark.parametrize("is_followed", [False, True])
@pytest.mark.parametrize(
    ("cursor", "reason", "expected"),
    [
        ("{name}.{epoch}.95", None, [*range(96, 101)]),
        ("{name}.{epoch}.100", None, []),
        ("{name}.{epoch}.59", None, STORED),
        ("{name}.{epoch}.58", "expired", STORED),
        ("{name}.{epoch}.0", "expired", STORED),
        ("{name}.{epoch}.101", "ahead", []),
        ("{name}.{epoch}.9223372036854775807", "ahead", []),
        ("{name}.0.70", "stream_new", STORED),
        ("{name}.zzzzzzzzzzzz.101", "stream_new", STORED),
        ("OTHER.{epoch}.70", "unknown", []),
        ("OTHER.{epoch}.70/{name}.{epoch}.97", None, [98, 99, 100]),
    ],
)
async def test_every_cursor_is_answered(
    client: Client,
    gateway: Gateway,
    cursor: str,
    reason: str | None,
    expected: list[int],
    is_followed: bool,
) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [b"%d" % each for each in range(1, 101)])
    await api(client, f"STREAM.PURGE.{name}", {"seq": 60})
    async with Browser(gateway.stream) as browser, Browser(gateway.stream) as other:
        epoch = (await other.ask({"subjects": [f"{token}.*"], "history": "new"}))["history"][
            "epoch"
        ]
        if not is_followed:
            await other.ask({"action": "unsubscribe", "subjects": [f"{token}.*"]})
        after = cursor.format(name=name, epoch=epoch)
        async with asyncio.timeout(ANSWERED_SECONDS):
            answer = await browser.ask({"subjects": [f"{token}.>"], "history": {"after": after}})
        said = answer["history"]
        assert (said["resumed"], said.get("reason")) == (reason is None, reason)
        got = []
        while "status" not in (line := await browser.next()):
            assert line["replay"] is True
            got.append(line["seq"])
        assert got == expected
        assert (line["status"], line["seq"]) == ("live", 100)
        await client.publish(f"{token}.a", b"101")
        assert await browser.next() == {"subject": f"{token}.a", "seq": 101, "data": 101}


async def test_of_more_than_may_be_replayed_the_newest_come(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [b"1"] * 100)
    async with Browser(gateway.stream) as browser, Browser(gateway.stream) as other:
        start = (await other.ask({"subjects": [f"{token}.*"], "history": "new"}))["history"]
        after = {"after": f"{name}.{start['epoch']}.49"}
        said = (await browser.ask({"subjects": [f"{token}.>"], "history": after}))["history"]
        assert (said["resumed"], said["reason"]) == (False, "too_many")
        await client.publish(f"{token}.a", b'"end"')
        got = []
        while (line := await browser.next()).get("data") != "end":
            got += [line["seq"]] if "data" in line else []
        assert got == [*range(51, 101)]


@pytest.mark.parametrize(
    "cursor",
    ["", "S", "S.e", "S.e.", "S.e.1.2", "S.e.-1", "S.e.x", "S.E.1", ".e.1", "S.e.9" + 20 * "9",
     "S.e.1/", "S.e.1/S.e.2", "a b.e.1", "S.e.1/" * 100, "x" * 60000],
    ids=lambda text: text[:20],
)  # fmt: skip
async def test_nonsense_is_refused(stream_gateway: Gateway, cursor: str) -> None:
    async with Browser(stream_gateway.stream) as browser:
        answer = await browser.ask({"subjects": ["s.>"], "history": {"after": cursor}, "id": 7})
        assert (answer["code"], answer["id"]) == ("bad_request", 7)
        assert len(answer["message"]) < 200
        assert (await browser.ask({"subjects": ["plain"]}))["success"] is True
