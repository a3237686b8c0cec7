"""Every line of the wire that the README shows is what a gateway sends, or takes; its callback."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from nats import connect as connect_to_nats
from nats.aio.client import Client
from websockets.asyncio.client import connect

from tests.support import readme
from tests.support.browser_client import Browser
from tests.support.http_reader import HttpReader
from tests.support.jetstream import api, make_stream, plain_client, until_stored
from tests.support.raw_nats import RawNats
from tests.support.servers import ROOT, Gateway, NatsServer, running

LARGE = b'"' + b"x" * 9998 + b'"'


async def test_the_wire_is_as_the_readme_shows_it(tmp_path: Path, log: Path) -> None:
    said = readme.Conversation("docs/wire.md")
    nats = NatsServer(tmp_path, f'jetstream {{ store_dir: "{tmp_path}/js" }}')
    with running(nats), running(the_gateway(nats, log)) as service:
        with running(Gateway(nats.url, log=log)) as closed:
            async with connect(closed.stream, proxy=None) as ws:
                said.saw(str(await ws.recv()))
        async with Browser(service.stream) as browser:
            await publications(said, browser, nats)
        async with plain_client(nats) as jetstream:
            await history(said, service, jetstream)
            await looking(said, service, jetstream)
        async with Browser(service.stream) as browser:
            await requests(said, browser)
            with RawNats(nats.port) as client:
                await messages(said, browser, client)
                await too_many(said, browser, client)
            nats.stop()
            said.saw(await browser.frame())
            nats.start()
            said.saw(await browser.frame())
            with HttpReader(service.port, "subjects=a") as reader:
                service.stop()
                while '"closed"' not in (line := reader.line()):
                    pass
                said.saw(line)
    said.use('{"token": "…"}')  # which the test of tokens sends
    assert not said.left, f"neither sent nor taken: {said.left}"


def the_gateway(nats: NatsServer, log: Path) -> Gateway:
    return Gateway(nats.url, log=log, allow_publish=">", allow_subjects="> $KV.config.>")


async def requests(said: readme.Conversation, browser: Browser) -> None:
    """Send what the README asks for, and what its responses are for."""
    request = said.use('"orders.*"], "action": "subscribe", "id": 1}')
    await browser.send(request)
    said.saw(await browser.frame())
    await browser.send({"subjects": ["a..b"], "id": 1})
    said.saw(await browser.frame())
    await browser.send({"subjects": ["orders.*"], "action": "unsubscribe", "id": 2})
    said.saw(await browser.frame())
    await browser.send(said.use('"action": "ping"'))
    said.saw(await browser.frame())


async def looking(said: readme.Conversation, service: Gateway, client: Client) -> None:
    """Ask what there is: in a stream, and what has come by."""
    await make_stream(client, "SHOP", ["shop.>"])
    for name in ("new", "paid", "new"):
        await client.publish(f"shop.eu.{name}", b"1")
    await until_stored(client, "SHOP", 3)
    async with Browser(service.stream) as browser:
        await browser.subscribe("rpc.price")
        await client.publish("rpc.price", b"1")
        await browser.frame()
        await browser.send(said.use('"action": "subjects", "subjects": ["shop.>", "rpc.*"], "id"'))
        said.saw(await browser.frame())


async def messages(said: readme.Conversation, browser: Browser, client: RawNats) -> None:
    """Publish the payloads of the README: JSON, other text, other bytes; with metadata."""
    await browser.subscribe("logs.web", "camera.frame")
    picture = base64.b64decode(said.use("camera.frame")["data"])
    payloads = {"test.subject": b'{"price": 21.50}', "logs.web": b"plain text"}
    for subject, payload in {**payloads, "camera.frame": picture}.items():
        client.publish(subject, payload)
        said.saw(await browser.frame())
    await browser.ask(said.use('"meta": ["time"'))
    headers = b"NATS/1.0\r\nNats-Msg-Id: a1\r\nX-Trace: \r\n\r\n"
    client.publish("orders.7", b"1", reply="_INBOX.x.y", headers=headers)
    said.saw(await browser.frame())
    assert (await browser.ask(said.use('"max_rate": 2')))["success"] is True


async def publications(said: readme.Conversation, browser: Browser, nats: NatsServer) -> None:
    """Publish and ask what the README does; nobody asked answers at first."""
    client = await connect_to_nats(nats.url)
    jetstream = client.jetstream()
    await jetstream.add_stream(name="CAMERA", subjects=["camera.*"])
    for _ in range(41):
        await jetstream.publish("camera.1", b"")
    await browser.send(said.use('"subject": "rpc.sum", "data": [1, 2]'))
    said.saw(await browser.frame())

    async def add(msg: Any) -> None:
        await msg.respond(str(sum(json.loads(msg.data))).encode())

    await client.subscribe("rpc.sum", cb=add)
    await client.flush()
    for part in ('{"total": 21.50}, "id": 3}', '"msg_id": "a1"'):
        await browser.send(said.use(part))
        said.saw(await browser.frame())
    await browser.send('{"action": "request", "subject": "rpc.sum", "data": [1, 2], "id": 5}')
    said.saw(await browser.frame())
    await client.close()


async def history(said: readme.Conversation, service: Gateway, client: Client) -> None:
    """Read what the page does, come back with its cursor, be slow, and lose the stream."""
    await make_stream(client, "ORDERS", ["orders.*"])
    for payload in [b"1"] * 40 + [b'{"total": 20}', b'{"total": 21.50}']:
        await client.publish("orders.7", payload)
    await until_stored(client, "ORDERS", 42)
    async with Browser(service.stream) as browser:
        await browser.send(said.use('{"last": 2}'))
        for _ in range(4):
            said.saw(live := await browser.frame())
        cursor = f"ORDERS.{json.loads(live)['epoch']}."
        await client.publish("orders.8", b'{"total": 5}')
        said.saw(await browser.frame())
    request = said.use('"history": {"after"')
    async with Browser(service.stream) as browser:
        await browser.send({**request, "history": {"after": f"{cursor}42"}})
        said.saw(await browser.frame())
        assert (await browser.next())["seq"] == 43
    async with Browser(service.stream) as browser:
        await browser.ask(
            {"subjects": ["orders.*"], "history": "auto", "meta": ["time", "headers"]}
        )
        assert (await browser.next())["status"] == "live"
        await client.publish("orders.8", b"1", headers={"Nats-Msg-Id": "a1"})
        said.saw(await browser.frame())
        await api(client, "STREAM.PURGE.ORDERS", {"seq": 41})
        frame = ""
        while "expired" not in frame:  # what a stream holds is known for a while
            await asyncio.sleep(0.2)
            async with Browser(service.stream) as other:
                await other.send({**request, "history": {"after": f"{cursor}1"}})
                frame = await other.frame()
        said.saw(frame)
    async with Browser(service.stream) as browser:
        await browser.send({"subjects": ["invoices.*"], "history": "all", "id": 3})
        said.saw(await browser.frame())
    await a_key(said, service, client)
    await behind(said, service, client)
    await made_again(said, service, client)


async def a_key(said: readme.Conversation, service: Gateway, client: Client) -> None:
    """Delete a key of a bucket."""
    await make_stream(client, "KV_config", ["$KV.config.>"])
    for _ in range(7):
        await client.publish("$KV.config.theme", b"dark")
    await until_stored(client, "KV_config", 7)
    async with Browser(service.stream) as browser:
        await browser.ask({"subjects": ["$KV.config.>"], "history": "new"})
        assert (await browser.next())["status"] == "live"
        await client.publish("$KV.config.theme", b"", headers={"KV-Operation": "DEL"})
        said.saw(await browser.frame())


async def behind(said: readme.Conversation, service: Gateway, client: Client) -> None:
    """Read nothing for more than a second, while much comes."""
    await make_stream(client, "FLOOD", ["flood"])
    async with Browser(service.stream) as browser:
        await browser.ask({"subjects": ["flood"], "history": "new"})
        browser.ws.transport.pause_reading()
        for number in range(20):
            for _ in range(100):
                await client.publish("flood", LARGE)
            await until_stored(client, "FLOOD", 100 * (number + 1))
        await asyncio.sleep(1.5)
        browser.ws.transport.resume_reading()
        while '"behind"' not in (text := await browser.frame()):
            pass
        said.saw(text)


async def made_again(said: readme.Conversation, service: Gateway, client: Client) -> None:
    """Have another stream in the place of one; who asks for more of it has the gateway look."""
    async with Browser(service.stream) as browser, Browser(service.stream) as other:
        await browser.ask({"subjects": ["orders.*"], "history": "new"})
        await make_stream(client, "ORDERS", ["orders.*"])
        await other.ask({"subjects": ["orders.7"], "history": "new"})
        while '"missed"' not in (text := await browser.frame()):
            pass
        said.saw(text)


async def too_many(said: readme.Conversation, browser: Browser, client: RawNats) -> None:
    """Read nothing until messages were dropped, then see that this is told."""
    await browser.subscribe("flood")
    browser.ws.transport.pause_reading()
    for _ in range(100):
        await asyncio.to_thread(client.send, RawNats.command(b"flood", LARGE) * 20)
    browser.ws.transport.resume_reading()
    left = 2000
    while left:
        frame = await browser.frame()
        if "dropped" in frame:
            said.saw(frame)
            left -= json.loads(frame)["dropped"]
        else:
            left -= 1


async def test_the_callback_of_the_readme_is_called_for_each_message(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    (tmp_path / "page").symlink_to(ROOT / "page")
    main = (ROOT / "main.py").read_text()
    head, end, rest = main[(begin := main.index("\nmanager = ")) :].partition("\n)\n")
    program = tmp_path / "main.py"
    program.write_text(f"{main[:begin]}{head}{end}{readme.block('python')}{rest}")
    with running(Gateway(nats_server.url, program=str(program), log=log)) as service:
        async with Browser(service.stream) as browser:
            await browser.subscribe("room.*")
            with RawNats(nats_server.port) as client:
                await asyncio.to_thread(client.publish, "room.a", b'{"celsius":21.50}')
            # Decoded and written anew by the callback: the gateway itself keeps every byte.
            assert await browser.frame() == '{"subject": "room.a", "data": {"celsius": 21.5}}'
