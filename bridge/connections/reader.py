"""What a GET follows: its query is the one request that comes, its response takes what follows."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import msgspec

from bridge.wire.responses import Refusal

if TYPE_CHECKING:
    from bridge.connections.actions import Actions
    from bridge.connections.connection import Connection
    from bridge.web.http_stream import HttpStream
    from bridge.wire.codes import Code
    from bridge.wire.stream_query import StreamQuery

SENT_CHECK_SECONDS = 0.05
"""asyncio does not say when the transport below TLS has sent everything."""


async def read(
    stream: HttpStream, connection: Connection, actions: Actions, query: StreamQuery
) -> None:
    """Follow what is asked for until the response ends.

    Raises Refusal, before anything is sent, if all of it is refused.
    """
    await _begin(stream, connection, actions, query)
    connection.tell_opened()
    await _end(stream, connection)


async def _begin(
    stream: HttpStream, connection: Connection, actions: Actions, query: StreamQuery
) -> None:
    """Follow what is asked for, and send what there is to tell."""
    lines = await actions.answer(connection, query.request)
    follows = actions.following.patterns(connection)
    if not (follows or stream.closed):
        connection.outbox.flush()
        stream.give_up()
        raise _refusal(lines[0])
    connection.respond(*lines)
    if not query.goes_on:
        connection.end_when(partial(actions.following.is_live, connection))
    with contextlib.suppress(ConnectionError):
        await stream.begin()


async def _end(stream: HttpStream, connection: Connection) -> None:
    """End a response once it has what it may have, or has been ended otherwise."""
    await stream.ended.wait()
    with contextlib.suppress(ConnectionError):
        while connection.pending_bytes and connection.outbox.open:
            await asyncio.sleep(SENT_CHECK_SECONDS)
        connection.outbox.flush()
        await stream.finish()


def _refusal(line: bytes) -> Refusal:
    """Return what a response says."""
    said: dict[str, Any] = msgspec.json.decode(line)
    return Refusal(cast("Code", said["code"]), said["message"], said["subjects"])
