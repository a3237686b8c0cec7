"""Who is connected, over all replicas: each is asked by NATS and answers in pages."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from nats import errors

from bridge.replicas.connection_list import ConnectionList, Entry, Page, ReplicaStatus, pages_of
from bridge.replicas.forwarding import request_subject
from bridge.wire.subjects import CONTROL

if TYPE_CHECKING:
    from bridge.connections.connection import Connection
    from bridge.replicas.connection_list import Places
    from bridge.replicas.presence import Presence

SUBJECT = f"{CONTROL}.connections"
QUIET_SECONDS = 0.3
"""After this time without a page nobody else is waited for."""
ASK_TIMEOUT_SECONDS = 3.0
"""For all pages."""
MAX_ANSWERS = 4
"""Lists that a replica sends at a time."""


class ConnectionDirectory:
    """Lists `connections` for those who ask, and asks for the lists of others.

    `presence` knows which replicas there are; `app` is the Panini app that asks and listens;
    `places` tells where a connection is in streams.
    """

    def __init__(
        self,
        app: Any,
        presence: Presence,
        connections: Mapping[str, Connection],
        places: Places,
    ) -> None:
        self._app = app
        self._replica = presence.name
        self._answerer = Answerer(app, presence.name, connections, places)
        self._asker = Asker(app, presence)

    async def everyone(self) -> ConnectionList:
        """Return who is connected anywhere. Waits 0.3 to 3 seconds for other replicas."""
        pages = await self._asker.pages() if self._app.trouble is None else []
        # Our own come the same way, which shows that those of others can.
        heard = any(page.replica == self._replica for page in pages)
        if not heard:
            pages += self._answerer.pages()
        replicas = {page.replica: ReplicaStatus(page.replica, page.host) for page in pages}
        silent = await self._asker.silent(set(replicas))
        replicas |= {name: ReplicaStatus(name, "") for name in silent}
        for page in pages:
            status = replicas[page.replica]
            status.connections += len(page.connections)
            status.complete = status.complete or not page.more
        complete = heard and all(each.complete for each in replicas.values())
        entries: list[Entry] = [entry for page in pages for entry in page.connections]
        return ConnectionList(complete, list(replicas.values()), entries)


class Asker:
    """Asks all replicas for their pages."""

    def __init__(self, app: Any, presence: Presence) -> None:
        self._app = app
        self._presence = presence

    async def pages(self) -> list[Page]:
        """Return the pages that come before nothing more does, or before it takes too long."""
        client = self._app.nats_client
        inbox = client.new_inbox()
        arrived: asyncio.Queue[bytes] = asyncio.Queue()

        async def take(msg: Any) -> None:
            arrived.put_nowait(msg.data)

        pages: list[Page] = []
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            subscription = await client.subscribe(inbox, cb=take)
            try:
                await client.publish(SUBJECT, reply=inbox)
                async with asyncio.timeout(ASK_TIMEOUT_SECONDS):
                    await self._gather(arrived, pages)
            finally:
                await subscription.unsubscribe()
        return pages

    async def _gather(self, arrived: asyncio.Queue[bytes], pages: list[Page]) -> None:
        unfinished = self._presence.others
        while True:
            try:
                async with asyncio.timeout(None if unfinished else QUIET_SECONDS):
                    page = msgspec.json.decode(await arrived.get(), type=Page)
            except msgspec.MsgspecError:
                continue
            except TimeoutError:
                return
            pages.append(page)
            (unfinished.add if page.more else unfinished.discard)(page.replica)

    async def silent(self, answered: set[str]) -> list[str]:
        """Return the replicas that are there and have not answered."""
        missing = list(self._presence.others - answered)
        gone = await asyncio.gather(*map(self._is_gone, missing))
        return [name for name, left in zip(missing, gone, strict=True) if not left]

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


class Answerer:
    """Sends the pages of this replica to whoever asks."""

    def __init__(
        self, app: Any, replica: str, connections: Mapping[str, Connection], places: Places
    ) -> None:
        self._app = app
        self._places = places
        self._replica = replica
        self._connections = connections
        self._host = socket.gethostname()
        self._answering = 0
        app.listen(SUBJECT, data_type=bytes)(self._answer)

    def pages(self) -> Iterator[Page]:
        """Yield our connections in pages."""
        max_payload = getattr(self._app.nats_client, "max_payload", 0)
        connections = list(self._connections.values())
        yield from pages_of(connections, self._places, self._replica, self._host, max_payload)

    async def _answer(self, msg: Any) -> bytes:
        """Send all pages but the last, which Panini sends: a listener has to return an answer."""
        page = Page(self._replica, self._host, [], more=True)
        if self._answering >= MAX_ANSWERS or not msg.reply:
            return msgspec.json.encode(page)  # which says that it is not all
        self._answering += 1
        try:
            for page in self.pages():
                if page.more:
                    await self._app.nats_client.publish(msg.reply, msgspec.json.encode(page))
                await asyncio.sleep(0)  # others are served in between
        finally:
            self._answering -= 1
        return msgspec.json.encode(page)
