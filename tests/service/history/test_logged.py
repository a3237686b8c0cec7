"""What an operator reads in the log of streams, and of those who may not read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from nats.aio.client import Client

from tests.service.history.test_forms import ask, replay, ten
from tests.service.history.test_which_stream import limited
from tests.support.browser_client import Browser
from tests.support.jetstream import api, make_stream, plain_client, until_stored
from tests.support.json_log import logged
from tests.support.servers import Gateway, NatsServer, eventually, running


async def test_what_befalls_streams_is_logged(
    client: Client, stream_server: NatsServer, log: Path
) -> None:
    await make_stream(client, "DULL", ["dull.>"], allow_direct=False)
    for number in range(10):
        await client.publish("dull.a", b"%d" % number)
    await until_stored(client, "DULL", 10)
    name, token = await ten(client)
    with running(Gateway(stream_server.url, log=log, log_format="json")) as gateway:
        for _ in range(2):
            async with Browser(gateway.stream) as browser:
                await ask(browser, "dull.>", "all")
                await replay(browser)
                await ask(browser, f"{token}.a", "new")
                await replay(browser)
        await api(client, f"STREAM.DELETE.{name}")
        await make_stream(client, name, [f"{token}.>"])
        await eventually(lambda: logged(gateway, "stream_lost"))
        (slow,) = logged(gateway, "stream_slow")
        assert slow["message"].endswith(
            "nats stream edit DULL --allow-direct, at nats-server 2.11 or later"
        )
        (lost,) = logged(gateway, "stream_lost")
        assert (lost["stream"], lost["reason"]) == (name, "it was deleted and made again")


async def test_who_may_not_read_the_past_is_logged_unless_it_need_not(
    client: Client, stream_server: NatsServer, log: Path
) -> None:
    _, token = await ten(client)
    settings = {"log_format": "json", "history_subjects": "other.>"}
    with running(Gateway(stream_server.url, log=log, **settings)) as gateway:  # type: ignore[arg-type]
        async with Browser(gateway.stream) as browser:
            assert (await ask(browser, f"{token}.a", "auto"))["success"]
            assert logged(gateway, "history_refused") == []
            assert (await ask(browser, f"{token}.b", "all"))["reason"] == "off"
            await ask(browser, f"{token}.b", "all")
        (line,) = logged(gateway, "history_refused")
        assert (line["pattern"], line["count"]) == (f"{token}.b", 1)
        assert "HISTORY_SUBJECTS" in line["message"]


@pytest.mark.parametrize("history", ["all", "auto"])
async def test_a_right_that_nats_does_not_give_is_named_with_the_cure(
    tmp_path: Path, log: Path, history: str
) -> None:
    subscribe = '["_INBOX.nats_bridge.>", "nats_bridge.>", "s.>"]'
    with running(NatsServer(tmp_path, limited(tmp_path, "STREAM.INFO.*", subscribe))) as server:
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            url = server.url.replace("//", "//u:p@")
            with running(Gateway(url, log=log, log_format="json")) as gateway:
                async with Browser(gateway.stream) as browser:
                    answer = await ask(browser, "s.a", history)
                    assert answer["success"] is (history == "auto")
                (line,) = logged(gateway, "history_not_permitted")
                assert "$JS.API.STREAM.INFO.S" in line["message"]
                assert line["message"].endswith("or set HISTORY_SUBJECTS=none")
