"""Servers with JetStream, streams on them, and what a stream has, read without the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import TimeoutError as NatsTimeoutError

from tests.support.linked import quiet
from tests.support.ports import free_port
from tests.support.servers import PATIENCE, NatsServer, eventually


class Entry(NamedTuple):
    """A message of a stream."""

    sequence: int
    subject: str
    payload: bytes


def jetstream(folder: Path, extra: str = "") -> str:
    """Return the configuration of a server with JetStream."""
    return f'jetstream {{ store_dir: "{folder}" }}\n{extra}'


@contextmanager
def cluster_of_three(folder: Path, extra: str = "") -> Iterator[list[NatsServer]]:
    """Run three servers that share their streams."""
    ports = [free_port() for _ in range(3)]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    servers = []
    for number, port in enumerate(ports):
        home = folder / f"server-{number}"
        home.mkdir()
        own = f'server_name: s{number}\ncluster {{ name: three, listen: "127.0.0.1:{port}", '
        config = jetstream(home, f"{own} routes: [{routes}] }}\n{extra}")
        servers.append(NatsServer(home, config))
    for server in servers:
        server.launch()
    try:
        for server in servers:
            server.wait_until_healthy()
        yield servers
    finally:
        for server in servers:
            server.stop()


@asynccontextmanager
async def plain_client(server: NatsServer) -> AsyncIterator[Client]:
    """Connect nats-py as it is."""
    client = await nats.connect(server.url, error_cb=quiet, max_reconnect_attempts=-1)
    try:
        yield client
    finally:
        await client.close()


async def api(client: Client, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask JetStream; return its answer, also an error."""
    payload = b"" if body is None else json.dumps(body).encode()
    answer = await client.request(f"$JS.API.{what}", payload, timeout=10)
    return json.loads(answer.data)


async def make_stream(client: Client, name: str, subjects: list[str], **config: Any) -> None:
    """Make a stream, as soon as there is a leader; one that a failed test has left goes."""
    body = {"name": name, "subjects": subjects, "storage": "file", "allow_direct": True, **config}
    with contextlib.suppress(NatsTimeoutError):
        await api(client, f"STREAM.DELETE.{name}")
    await insist(client, f"STREAM.CREATE.{name}", body)


async def insist(client: Client, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Ask until JetStream does it: a cluster may be without a leader for a moment."""
    answer: dict[str, Any] = {"error": "none"}
    for _ in range(100):
        with contextlib.suppress(NatsTimeoutError, nats.errors.NoRespondersError):
            answer = await api(client, what, body)
        if "error" not in answer:
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError(answer)


async def last_of(client: Client, stream: str) -> int:
    """Return the last sequence of a stream, as its leader has it."""
    return int((await insist(client, f"STREAM.INFO.{stream}"))["state"]["last_seq"])


async def until_stored(client: Client, stream: str, last: int) -> None:
    """Return once a stream has what was published: a flush says only that the server has it."""
    async with asyncio.timeout(PATIENCE):
        while await last_of(client, stream) < last:
            await asyncio.sleep(0.01)


async def consumers_of(client: Client, stream: str) -> list[str]:
    """Return the names of the consumers on a stream."""
    return list((await api(client, f"CONSUMER.NAMES.{stream}"))["consumers"] or [])


async def entries_of(client: Client, stream: str, after: int = 0) -> list[Entry]:
    """Return what a stream has behind a sequence, by a consumer of its own."""
    entries: list[Entry] = []

    async def take(message: Msg) -> None:
        entries.append(Entry(message.metadata.sequence.stream, message.subject, message.data))

    inbox, name = client.new_inbox(), secrets.token_hex(8)
    subscription = await client.subscribe(inbox, cb=take, pending_msgs_limit=10**7)
    config = {"name": name, "deliver_subject": inbox, "ack_policy": "none", "mem_storage": True}
    config |= {"deliver_policy": "by_start_sequence", "opt_start_seq": after + 1}
    body = {"stream_name": stream, "config": config}
    state = await insist(client, f"CONSUMER.CREATE.{stream}.{name}", body)
    while state["num_pending"]:
        await asyncio.sleep(0.01)
        state = await insist(client, f"CONSUMER.INFO.{stream}.{name}")
    await eventually(lambda: len(entries) >= state["delivered"]["consumer_seq"])
    await subscription.unsubscribe()
    await api(client, f"CONSUMER.DELETE.{stream}.{name}")
    return entries
