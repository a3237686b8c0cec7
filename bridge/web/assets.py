"""The page's files, read once, and what browsers are told to keep to.

Only what was read can be asked for, so no path leads out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from aiohttp import web

# Written down, since Python may read them from the system, which can call a module text/plain.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

INLINE_SCRIPT = "'sha256-8X3u20QztISTm6pQmCLwSdvsCfMNbToy2ujEYJy0fuE='"
"""The one script in `page/index.html` itself, which is there before any file can be found."""
FRAMED_BY_NONE = "frame-ancestors 'none'"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self' {INLINE_SCRIPT}; style-src 'self'; "
        "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"{FRAMED_BY_NONE}; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

SHARED = "js/client.js"
"""The one file that pages of other origins may load; what it connects to asks for their origin."""

_SHARED_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class SecurityHeaders:
    """Puts the headers on each response that is about to be sent; those it has stay.

    `ancestors`: origins of the pages that may show ours in a frame, or `self`. There is no
    X-Frame-Options beside it, which could name none of them.
    """

    def __init__(self, ancestors: Sequence[str] = ()) -> None:
        self._headers = dict(SECURITY_HEADERS)
        if ancestors:
            named = " ".join("'self'" if each == "self" else each for each in ancestors)
            name = "Content-Security-Policy"
            framed = f"frame-ancestors {named}"
            self._headers[name] = self._headers[name].replace(FRAMED_BY_NONE, framed)

    async def __call__(self, request: web.Request, response: web.StreamResponse) -> None:
        """Take a response, as `on_response_prepare` asks for."""
        if response.status != 101:
            for name, value in self._headers.items():
                response.headers.setdefault(name, value)


class Assets:
    """The files below one folder, by their path relative to it."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): (path.read_bytes(), _TYPES[path.suffix])
            for path in folder.rglob("*")
            if path.suffix in _TYPES
        }

    def response(self, name: str, request: web.Request) -> web.Response:
        """Return the file called `name`, 304 if the browser has it, 404 if there is none."""
        if name not in self._files:
            return web.Response(status=404, text="There is no such file.\n")
        body, content_type = self._files[name]
        etag = hashlib.sha256(body).hexdigest()[:16]
        if any(each.value == etag for each in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            response = web.Response(body=body, content_type=content_type, charset="utf-8")
            response.etag = etag
        if name == SHARED:
            response.headers.update(_SHARED_HEADERS)
        return response
