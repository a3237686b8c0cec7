"""Who is connected, over all replicas: each is asked by NATS and answers in pages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import msgspec
from nats import errors

from bridge.access.policy import CONTROL
from bridge.replicas.forwarding import request_subject

if TYPE_CHECKING:
    from bridge.connections.connection import Connection

SUBJECT = f"{CONTROL}.connections"
PAGE_BYTES = 262144
"""A page is no larger, unless an entry alone is; and no larger than half of what NATS takes."""
MOST_PATTERNS = 1000
MOST_CHARACTERS = 200
"""Of an identity, which is what some token said."""
QUIET = 0.3
"""Seconds without a page after which nobody else is waited for."""
MOST_AT_ONCE = 4
"""Lists in the making."""
AT_MOST = 3.0
"""Seconds for all pages."""


class Entry(msgspec.Struct):
    """One connection. `since` is RFC 3339; `pending` bytes; `identity` as `Visitor` has it.

    `patterns` are the first thousand, fewer if NATS takes only small messages.
    """

    connection_id: str
    address: str
    identity: tuple[str, ...]
    since: str
    patterns: tuple[str, ...]
    delivered: int
    dropped: int
    pending: int


class Page(msgspec.Struct):
    """Some of a replica's connections, and whether there are more."""

    replica: str
    host: str
    connections: list[Entry]
    more: bool = False


class Listed(msgspec.Struct):
    """One replica of the list."""

    replica: str
    host: str
    connections: int = 0
    complete: bool = False


class Roster(msgspec.Struct):
    """All that is known. `complete` is False if something is known to be missing."""

    complete: bool
    replicas: list[Listed]
    connections: list[Entry]


class Registrar:
    """Lists `connections` for those who ask, and asks for the lists of others.

    `replica` is the name of this one, `app` the Panini app that asks and listens.
    """

    def __init__(self, app: Any, replica: str, connections: Mapping[str, Connection]) -> None:
        self._app = app
        self._replica = replica
        self._connections = connections
        self._host = socket.gethostname()
        self._answering = 0
        self._heard: set[str] = set()
        """Replicas that have answered before."""
        app.listen(SUBJECT, data_type=bytes)(self._answer)

    async def roster(self) -> Roster:
        """Return who is connected anywhere. Waits 0.3 to 3 seconds for other replicas."""
        pages = await self._ask_all() if self._app.trouble is None else []
        # Our own come the same way, which shows that those of others can.
        heard = any(page.replica == self._replica for page in pages)
        if not heard:
            pages += self._pages()
        replicas = {page.replica: Listed(page.replica, page.host) for page in pages}
        silent = self._heard - set(replicas)
        gone = await asyncio.gather(*map(self._is_gone, silent))
        replicas |= {
            name: Listed(name, "") for name, left in zip(silent, gone, strict=True) if not left
        }
        self._heard = set(replicas)
        for page in pages:
            listed = replicas[page.replica]
            listed.connections += len(page.connections)
            listed.complete = listed.complete or not page.more
        complete = heard and all(each.complete for each in replicas.values())
        entries = [entry for page in pages for entry in page.connections]
        return Roster(complete, list(replicas.values()), entries)

    async def _is_gone(self, replica: str) -> bool:
        """Tell whether NATS knows of nobody who listens for requests to `replica`."""
        if self._app.trouble is not None:
            return False
        try:
            await self._app.request(request_subject(replica), b"", 1, response_data_type=bytes)
        except errors.NoRespondersError:
            return True
        except (errors.Error, OSError, TimeoutError):
            pass
        return False

    async def _ask_all(self) -> list[Page]:
        client = self._app.nats.client
        inbox = client.new_inbox()
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(msg: Any) -> None:
            arrived.put_nowait(msg.data)

        pages: list[Page] = []
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            subscription = await client.subscribe(inbox, cb=take)
            try:
                await client.publish(SUBJECT, reply=inbox)
                async with asyncio.timeout(AT_MOST):
                    await self._gather(arrived, pages)
            finally:
                await subscription.unsubscribe()
        return pages

    async def _gather(self, arrived: asyncio.Queue[bytes], pages: list[Page]) -> None:
        unfinished = set(self._heard)  # those that have answered before are waited for
        while True:
            try:
                async with asyncio.timeout(None if unfinished else QUIET):
                    page = msgspec.json.decode(await arrived.get(), type=Page)
            except msgspec.MsgspecError:
                continue
            except TimeoutError:
                return
            pages.append(page)
            (unfinished.add if page.more else unfinished.discard)(page.replica)

    async def _answer(self, msg: Any) -> bytes:
        """Send all pages but the last, which Panini sends: what this returns."""
        page = Page(self._replica, self._host, [], more=True)
        if self._answering >= MOST_AT_ONCE or not msg.reply:
            return msgspec.json.encode(page)  # which says that it is not all
        self._answering += 1
        try:
            for page in self._pages():
                if page.more:
                    await self._app.nats.client.publish(msg.reply, msgspec.json.encode(page))
                await asyncio.sleep(0)  # others are served in between
        finally:
            self._answering -= 1
        return msgspec.json.encode(page)

    def _pages(self) -> Iterator[Page]:
        client = getattr(self._app.nats, "client", None)
        limit = min(PAGE_BYTES, getattr(client, "max_payload", 0) // 2 or PAGE_BYTES)
        entries: list[Entry] = []
        size = 0
        for connection in list(self._connections.values()):
            entry = _entry(connection, limit)
            length = len(msgspec.json.encode(entry))
            if entries and size + length > limit:
                yield Page(self._replica, self._host, entries, more=True)
                entries, size = [], 0
            entries.append(entry)
            size += length
        yield Page(self._replica, self._host, entries)


def _entry(connection: Connection, limit: int) -> Entry:
    """Return what is shown of a connection, in little more than `limit` bytes."""
    lasted = asyncio.get_running_loop().time() - connection.since
    since = datetime.fromtimestamp(time.time() - lasted, UTC)
    lengths = accumulate(len(pattern.encode()) for pattern in connection.patterns)
    shown = sum(length <= limit // 2 for length in lengths)
    return Entry(
        connection.id,
        connection.visit.address,
        tuple(each[:MOST_CHARACTERS] for each in connection.visit.visitor.identity),
        since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        connection.patterns[: min(shown, MOST_PATTERNS)],
        connection.delivered,
        connection.dropped,
        connection.pending_bytes,
    )
