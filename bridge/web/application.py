"""What every request goes through, and every response, whatever its route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bridge.web.assets import SecurityHeaders
from bridge.web.cross_origin import add_cross_origin_headers
from bridge.web.inside import keep_apart
from bridge.web.tcp import CountedHandler


def new_application(
    max_request_bytes: int, frame_ancestors: Sequence[str], *, apart: bool
) -> web.Application:
    """Return an application without routes. `apart`: operators have a port of their own."""
    application = web.Application(
        client_max_size=max_request_bytes,
        middlewares=[note_request, keep_apart] if apart else [note_request],
    )
    secure = SecurityHeaders(frame_ancestors)
    for each in (note_response, secure, add_cross_origin_headers):
        application.on_response_prepare.append(each)
    return application


@web.middleware
async def note_request(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Note on the connection that a request has come by it."""
    connection = request.protocol
    if not isinstance(connection, CountedHandler):
        return await handler(request)
    connection.note(request.content)
    connection.serving = True
    try:
        return await handler(request)
    finally:
        connection.serving = False


async def note_response(request: web.Request, response: web.StreamResponse) -> None:
    """Note when it is answered: also what aiohttp answers before the middlewares, 417 for one."""
    _note(request)
    if response.status == 101 and isinstance(request.protocol, CountedHandler):
        request.protocol.switched = True


def _note(request: web.Request) -> None:
    if isinstance(request.protocol, CountedHandler):
        request.protocol.note(request.content)
