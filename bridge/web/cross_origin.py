"""What pages of other origins are told, so that their browser lets them read our answers (CORS)."""

from __future__ import annotations

from aiohttp import web

from bridge.wire.publications import EXPECTED, MESSAGE_ID
from bridge.wire.stream_query import LAST_EVENT_ID

METHODS = "GET, HEAD, OPTIONS, POST"
HEADERS = ", ".join(("Authorization", "Content-Type", LAST_EVENT_ID, MESSAGE_ID, *EXPECTED))
"""What a page may send along; cookies come by themselves."""
READABLE = "WWW-Authenticate"
"""What a page may read besides what any may: it tells our 401 from that of a proxy."""
MAX_AGE_SECONDS = 600
"""A browser may remember for so long that it may POST; each POST is judged all the same."""

_READER: web.RequestKey[str] = web.RequestKey("origin of the page that may read the answer", str)


def let_read(request: web.Request, origin: str | None) -> None:
    """Note which page may read the answer to a request: one of `origin`, or none of another."""
    request[_READER] = origin or ""


async def add_cross_origin_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the headers on a response that depends on where the page is from.

    Never `*`: what a page may read is for that very page, with the cookies of its reader.
    """
    origin = request.get(_READER)
    if origin is None or response.status == 101:
        return
    varies = response.headers.get("Vary")
    response.headers["Vary"] = f"{varies}, Origin" if varies else "Origin"
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = READABLE


def preflight_response() -> web.Response:
    """Return what a page that may connect is told before it POSTs."""
    headers = {
        "Allow": METHODS,
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": HEADERS,
        "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
    }
    return web.Response(status=204, headers=headers)
