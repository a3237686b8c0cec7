"""aiohttp's side of one TCP connection, which lets go of a request once that is a WebSocket.

aiohttp keeps the request, its parser, and the room for further requests as long as the WebSocket
lasts. Of a browser's that is 7 KiB, a third of what an idle connection would take in all.
"""

from __future__ import annotations

from typing import Any

from aiohttp.web import BaseRequest
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDict, CIMultiDictProxy


class Forgetful(RequestHandler):
    """Reads requests as aiohttp does. `forget` is for whoever has made one a WebSocket."""

    __slots__ = ("_asked_with",)

    _asked_with: CIMultiDict[str]
    """The headers of a request for an upgrade, which is the last one."""

    def data_received(self, data: bytes) -> None:
        """Take what came; a request for an upgrade gets headers that can be forgotten."""
        super().data_received(data)
        if not self._messages:
            return
        message: Any
        message, body = self._messages[-1]
        if getattr(message, "upgrade", False):  # a request that makes no sense has no such mark
            # aiohttp's task holds the message itself to the end, and nothing can be taken from it.
            self._asked_with = CIMultiDict(message.headers)
            headers = CIMultiDictProxy(self._asked_with)
            self._messages[-1] = message._replace(headers=headers, raw_headers=()), body

    def forget(self, request: BaseRequest) -> None:
        """Forget what came with `request`, and how to read any: only frames come from now on."""
        self._asked_with.clear()
        for cache in (request._cache, self._cache):  # what has been made of it so far
            cache.clear()
        self._parser, self._messages = None, ()  # type: ignore[assignment]
