"""What the tests of history behind browsers have in common."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nats.aio.client import Client

from bridge.wire.subjects import matches
from tests.support.browser_client import Browser
from tests.support.jetstream import Entry, make_stream, until_stored
from tests.support.servers import Gateway, http, messages_by_fate, running

TEXT = b'"%s"' % (b"x" * 1000)
"""A payload of which little finds room."""

_numbers = itertools.count(1)


async def fresh_stream(client: Client, **config: Any) -> tuple[str, str]:
    """Make a stream; return its name, and the first token of its subjects."""
    name = f"FRESH{next(_numbers)}"
    await make_stream(client, name, [f"{name.lower()}.>"], **config)
    return name, name.lower()


async def fill(client: Client, stream: str, subjects: Sequence[str], payloads: Any) -> None:
    """Publish payloads, on one subject after the other; return once they are stored."""
    count = 0
    for subject, payload in zip(itertools.cycle(subjects), payloads, strict=False):
        await client.publish(subject, payload)
        count += 1
    await client.flush()
    await until_stored(client, stream, count)


def slow_browser(gateway: Gateway, query: str = "", **options: Any) -> Browser:
    """Return a browser for which the kernel holds little."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    raw.connect(("127.0.0.1", gateway.port))
    return Browser(gateway.stream + query, sock=raw, **options)


def due(truth: list[Entry], pattern: str, after: int = 0) -> list[int]:
    """Return the sequences that match a pattern, after one of them."""
    return [e.sequence for e in truth if e.sequence > after and matches(pattern, e.subject)]


def is_balanced(gateway: Gateway) -> bool:
    """Tell whether all messages that were due are accounted for."""
    fate = messages_by_fate(gateway.figures())
    parts = ("delivered", "filtered", "dropped", "pending")
    return fate["due"] == sum(fate[each] for each in parts)


def tasks(gateway: Gateway) -> int:
    """Return how many tasks it has when nothing goes on."""
    return int(gateway.figures()["bridge_tasks"])


@contextmanager
def sound(gateway: Gateway) -> Iterator[Gateway]:
    """Run a gateway; in the end it is well, and all is accounted for."""
    with running(gateway):
        yield gateway
        assert is_well(gateway)
        assert is_balanced(gateway)


def is_well(gateway: Gateway) -> bool:
    """Tell whether it has said nothing that it should not, and answers."""
    said = gateway.output()
    assert "Traceback" not in said, said[-3000:]
    assert "internal error" not in said, said[-3000:]
    assert "never awaited" not in said, said[-3000:]
    return http(f"{gateway.url}/livez")[0] == 200
