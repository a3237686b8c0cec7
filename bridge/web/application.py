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
        middlewares=[keep_apart] if apart else [],
    )
    secure = SecurityHeaders(frame_ancestors)
    for each in (note_response, secure, add_cross_origin_headers):
        application.on_response_prepare.append(each)
    return application


def noted(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]:
    """Return `handler`, which serves requests, so that each is noted on its connection.

    That is no middleware: for a WebSocket it would stay, with one of aiohttp's, to the end.
    """

    def note_and_handle(request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        if isinstance(request.protocol, CountedHandler):
            request.protocol.note(request.content)
            request.protocol.serving = True
        return handler(request)

    return note_and_handle


async def note_response(request: web.Request, response: web.StreamResponse) -> None:
    """Note when it is answered, and whether it is answered with a WebSocket."""
    connection = request.protocol
    if isinstance(connection, CountedHandler):
        connection.note(request.content)
        connection.serving = False
        connection.switched |= response.status == 101
