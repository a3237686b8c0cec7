"""The page's files, read once, and what browsers are told to keep to.

Only what was read can be asked for, so no path leads out.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePath

from aiohttp import web

from bridge.web.accept import takes_gzip
from bridge.web.packed import Packed, is_joined

# Written down, since Python may read them from the system, which can call a module text/plain.
_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}

_JOINED = (".js", ".css")
_FOREVER = "public, max-age=31536000, immutable"

INLINE_SCRIPT = "'sha256-8X3u20QztISTm6pQmCLwSdvsCfMNbToy2ujEYJy0fuE='"
"""The one script in `page/index.html` itself, which is there before any file can be found."""
STYLE_HASH = "style_hash"
"""Under this key a response has the SHA-256 of the styles that it holds."""
_STYLES = "style-src 'self'"
FRAMED_BY_NONE = "frame-ancestors 'none'"

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'self' {INLINE_SCRIPT}; {_STYLES}; "
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
        if response.status == 101:
            return
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        if STYLE_HASH in response:
            policy = response.headers["Content-Security-Policy"]
            named = f"{_STYLES} 'sha256-{response[STYLE_HASH]}'"
            response.headers["Content-Security-Policy"] = policy.replace(_STYLES, named)


class _File:
    """One file as it is sent: compressed when somebody first asks for that, and once for all."""

    def __init__(self, body: bytes, content_type: str) -> None:
        self.body = body
        self.content_type = content_type
        self.etag = hashlib.sha256(body).hexdigest()[:16]

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.body, mtime=0)

    def response(self, request: web.Request) -> web.Response:
        zipped = takes_gzip(request.headers.get("Accept-Encoding", ""))
        etag = f"{self.etag}-gzip" if zipped else self.etag
        if any(each.value == etag for each in request.if_none_match or ()):
            response = web.Response(status=304)
        else:
            body = self.zipped if zipped else self.body
            response = web.Response(body=body, content_type=self.content_type, charset="utf-8")
            if zipped:
                response.headers["Content-Encoding"] = "gzip"
        response.etag = etag
        response.headers["Vary"] = "Accept-Encoding"
        return response


class Assets:
    """The page, and the files below its folder, by their path relative to it.

    `html` is the page with every file on its own. Browsers get it with the files joined, unless
    they ask for `/?files=single`, as whoever works on the page does.
    """

    def __init__(self, folder: Path, html: str) -> None:
        bodies = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.suffix in _TYPES
        }
        self._packed = Packed(
            html, {name: body.decode() for name, body in bodies.items() if name.endswith(_JOINED)}
        )
        self._joined = _File(self._packed.script.encode(), _TYPES[".js"])
        self._files = {
            name: _File(body, _TYPES[PurePath(name).suffix]) for name, body in bodies.items()
        }
        self._single = _File(html.encode(), "text/html")
        self._page = _File(self._packed.html.encode(), "text/html")

    def page(self, request: web.Request) -> web.Response:
        """Return the page, 304 if the browser has it."""
        if request.query.get("files") == "single":
            return self._single.response(request)
        response = self._page.response(request)
        response[STYLE_HASH] = self._packed.style_hash
        return response

    def response(self, name: str, request: web.Request) -> web.Response:
        """Return the file called `name`, 304 if the browser has it, 404 if there is none."""
        if is_joined(name):
            response = self._joined.response(request)
            is_current = name == self._packed.name
            response.headers["Cache-Control"] = _FOREVER if is_current else "no-store"
            return response
        if name not in self._files:
            return web.Response(status=404, text="There is no such file.\n")
        response = self._files[name].response(request)
        if name == SHARED:
            response.headers.update(_SHARED_HEADERS)
        return response
