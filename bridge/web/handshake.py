"""What a request for the WebSocket has to say, and what is told to one that does not say it.

RFC 6455, section 4.2.1, and RFC 9110, section 15.5.22.
"""

from __future__ import annotations

from aiohttp import web

VERSIONS = ("13", "8", "7")
"""Those of the protocol that aiohttp speaks; a client is told the one that is a standard."""

NO_WEBSOCKET = (
    "This is a WebSocket. If you opened one, something between you and this gateway has dropped "
    "the headers Upgrade and Connection.\n"
)
NO_SUCH_VERSION = "Version 13 of the WebSocket protocol is spoken here.\n"


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
