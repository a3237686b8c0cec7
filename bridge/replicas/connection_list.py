"""The list of connections: what is shown of each, and in which pages a replica sends them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from bridge.audiences.places import Place
    from bridge.connections.connection import Connection

    Places = Callable[[Connection], Iterable[Place]]

MAX_PAGE_BYTES = 262144
"""A page is no larger, unless an entry alone is; and no larger than half of what NATS takes."""
MAX_SHOWN_PATTERNS = 1000
MAX_IDENTITY_CHARACTERS = 200
"""Of each part of an identity, which is what some token said."""


class InStream(msgspec.Struct, omit_defaults=True):
    """Where a connection is in a stream: `live`, `behind`, or `replaying`, which has no cursor."""

    stream: str
    state: str
    patterns: tuple[str, ...]
    cursor: str = ""


class Entry(msgspec.Struct, omit_defaults=True):
    """One connection. `since` is RFC 3339; `pending` bytes; `identity` as `Principal` has it.

    `patterns` are the first thousand, fewer if NATS takes only small messages; of those in
    `streams` half as many bytes are shown.
    """

    connection_id: str
    address: str
    identity: tuple[str, ...]
    since: str
    patterns: tuple[str, ...]
    delivered: int
    dropped: int
    pending: int
    streams: tuple[InStream, ...] = ()


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
    connections: Iterable[Connection], places: Places, replica: str, host: str, max_payload: int
) -> Iterator[Page]:
    """Yield the connections of a replica in pages; `more` is False for the last one alone.

    `places` returns where a connection is in streams. `max_payload`: bytes that NATS takes in a
    message; 0 if that is not known.
    """
    limit = min(MAX_PAGE_BYTES, max_payload // 2 or MAX_PAGE_BYTES)
    entries: list[Entry] = []
    size = 0
    for connection in connections:
        entry = _entry(connection, places(connection), limit)
        length = len(msgspec.json.encode(entry))
        if entries and size + length > limit:
            yield Page(replica, host, entries, more=True)
            entries, size = [], 0
        entries.append(entry)
        size += length
    yield Page(replica, host, entries)


def _entry(connection: Connection, places: Iterable[Place], limit: int) -> Entry:
    """Return what is shown of a connection, in little more than `limit` bytes."""
    lasted = asyncio.get_running_loop().time() - connection.since
    since = datetime.fromtimestamp(time.time() - lasted, UTC)
    login = connection.login
    return Entry(
        connection.id,
        login.address,
        tuple(each[:MAX_IDENTITY_CHARACTERS] for each in login.principal.identity),
        since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        _first(connection.patterns, limit // 2),
        connection.delivered,
        connection.dropped,
        connection.pending_bytes,
        _in_streams(places, limit // 4),
    )


def _first(patterns: tuple[str, ...], size: int) -> tuple[str, ...]:
    """Return the first of them, in `size` bytes."""
    lengths = accumulate(len(pattern.encode()) for pattern in patterns)
    shown = sum(length <= size for length in lengths)
    return patterns[: min(shown, MAX_SHOWN_PATTERNS)]


def _in_streams(places: Iterable[Place], size: int) -> tuple[InStream, ...]:
    """Return what is shown of them, in little more than `size` bytes."""
    shown = []
    for place in places:
        if size <= 0:
            break
        its = InStream(place.stream, place.state, _first(place.patterns, size), place.cursor)
        size -= len(msgspec.json.encode(its))
        shown.append(its)
    return tuple(shown)
