"""The list of connections: what is shown of each, and in which pages a replica sends them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bridge.connections.connection import Connection

MAX_PAGE_BYTES = 262144
"""A page is no larger, unless an entry alone is; and no larger than half of what NATS takes."""
MAX_SHOWN_PATTERNS = 1000
MAX_IDENTITY_CHARACTERS = 200
"""Of each part of an identity, which is what some token said."""


class Entry(msgspec.Struct):
    """One connection. `since` is RFC 3339; `pending` bytes; `identity` as `Principal` has it.

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


class ReplicaStatus(msgspec.Struct):
    """One replica of the list."""

    replica: str
    host: str
    connections: int = 0
    complete: bool = False


class ConnectionList(msgspec.Struct):
    """All that is known. `complete` is False if something is known to be missing."""

    complete: bool
    replicas: list[ReplicaStatus]
    connections: list[Entry]


def pages_of(
    connections: Iterable[Connection], replica: str, host: str, max_payload: int
) -> Iterator[Page]:
    """Yield the connections of a replica in pages; `more` is False for the last one alone.

    `max_payload`: bytes that NATS takes in a message; 0 if that is not known.
    """
    limit = min(MAX_PAGE_BYTES, max_payload // 2 or MAX_PAGE_BYTES)
    entries: list[Entry] = []
    size = 0
    for connection in connections:
        entry = _entry(connection, limit)
        length = len(msgspec.json.encode(entry))
        if entries and size + length > limit:
            yield Page(replica, host, entries, more=True)
            entries, size = [], 0
        entries.append(entry)
        size += length
    yield Page(replica, host, entries)


def _entry(connection: Connection, limit: int) -> Entry:
    """Return what is shown of a connection, in little more than `limit` bytes."""
    lasted = asyncio.get_running_loop().time() - connection.since
    since = datetime.fromtimestamp(time.time() - lasted, UTC)
    lengths = accumulate(len(pattern.encode()) for pattern in connection.patterns)
    shown = sum(length <= limit // 2 for length in lengths)
    login = connection.login
    return Entry(
        connection.id,
        login.address,
        tuple(each[:MAX_IDENTITY_CHARACTERS] for each in login.principal.identity),
        since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        connection.patterns[: min(shown, MAX_SHOWN_PATTERNS)],
        connection.delivered,
        connection.dropped,
        connection.pending_bytes,
    )
