"""What a request for the WebSocket has to say, and what is told to one that does not say it.

RFC 6455, section 4.2.1, and RFC 9110, section 15.5.22. Without a WebSocket, messages come by a
response that goes on: see `http_stream.py`.
"""

from __future__ import annotations

from aiohttp import web

from bridge.web.accept import best_of
from bridge.web.http_stream import EVENT_STREAM, NDJSON, Form
from bridge.wire.stream_query import SUBJECTS

VERSIONS = ("13", "8", "7")
"""Those of the protocol that aiohttp speaks; a client is told the one that is a standard."""

NO_WEBSOCKET = (
    "There are two ways to messages here: a WebSocket; or a GET with ?subjects=..., by curl or "
    "EventSource, and not from an address bar. If you did open a WebSocket, something between you "
    "and this gateway has dropped the headers Upgrade and Connection.\n"
)
NOT_ACCEPTABLE = (
    "What comes here is text/event-stream or application/x-ndjson, and Accept allows neither.\n"
)
NO_SUCH_VERSION = "Version 13 of the WebSocket protocol is spoken here.\n"

_FORMS: dict[str, Form | None] = {
    "application/x-ndjson": NDJSON,
    "application/json": NDJSON,
    "text/event-stream": EVENT_STREAM,
    "text/html": None,
}
"""What `Accept` may ask for; nothing is there for somebody who just looks."""


def asks_for_http_stream(request: web.Request) -> bool:
    """Tell whether a request is for messages by a response that goes on.

    Not if a proxy has only dropped what makes it one for a WebSocket.
    """
    words = request.headers.get("Upgrade", "").lower()
    wants_socket = "websocket" in words or "Sec-WebSocket-Version" in request.headers
    return SUBJECTS in request.query and not wants_socket


def accepted_form(request: web.Request) -> Form:
    """Return in which form messages are to come. Raises HTTPNotAcceptable (406) if in none of ours.

    In an address bar, HTTPUpgradeRequired (426): a browser would show nothing for ever.
    """
    best = best_of(list(_FORMS), ",".join(request.headers.getall("Accept", ())))
    if best is None:
        raise web.HTTPNotAcceptable(text=NOT_ACCEPTABLE)
    form = _FORMS[best]
    if form is None:
        raise _upgrade_required(NO_WEBSOCKET)
    return form


def require_websocket(request: web.Request) -> None:
    """Raise HTTPUpgradeRequired (426) for what is no opening handshake of a WebSocket."""
    options = ",".join(request.headers.getall("Connection", ())).lower().split(",")
    upgrade = request.headers.get("Upgrade", "").strip().lower()
    if upgrade != "websocket" or "upgrade" not in map(str.strip, options):
        raise _upgrade_required(NO_WEBSOCKET)
    if request.headers.get("Sec-WebSocket-Version", "") not in VERSIONS:
        raise _upgrade_required(NO_SUCH_VERSION)


def _upgrade_required(sentence: str) -> web.HTTPUpgradeRequired:
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": VERSIONS[0],
    }
    return web.HTTPUpgradeRequired(text=sentence, headers=headers)
