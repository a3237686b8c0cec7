"""Which web pages may connect."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABELS = re.compile(r"[\w-]+(?:\.[\w-]+)*", re.ASCII)
_HOST = re.compile(r"[\w.:-]+", re.ASCII)
_USERINFO = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)


class Origin(NamedTuple):
    """An origin (RFC 6454) in lower case; `port` is None where its scheme has no default one."""

    scheme: str
    host: str
    port: int | None


class OriginPolicy:
    """Which web pages may connect. A request without `Origin` comes from no browser and passes.

    `allowed`: origins, or patterns such as https://*.example.com: one or more whole labels in
    place of the `*`, so not https://example.com itself. `names`: those of this machine.
    """

    def __init__(self, allowed: Iterable[str] = (), names: Iterable[str] | None = None) -> None:
        parsed = {each for each in map(parse_origin, allowed) if each is not None}
        self._below = {each for each in parsed if each.host.startswith("*.")}
        self._allowed = parsed - self._below
        self._names = machine_names() if names is None else frozenset(names)

    def allows(self, origin: str | None, scheme: str, host: str, *, proxied: bool = False) -> bool:
        """Compare `origin` (scheme, host and port) with our own and with the allowed ones.

        `scheme` and `host` are those of the request, its `Host` header for the latter. `proxied`:
        a trusted proxy says so.
        """
        if origin is None:
            return True
        asked = parse_origin(origin)
        if asked is None:
            return False
        if asked == parse_origin(f"{scheme}://{host}") and self._is_ours(asked, proxied=proxied):
            return True
        return asked in self._allowed or any(_is_below(asked, each) for each in self._below)

    def is_asked_for(self, scheme: str, host: str, *, proxied: bool, program: bool) -> bool:
        """Tell whether a request to `host` can only be meant for us, whichever page made it.

        A browser names no origin in a GET of a page to where that page is from, so that the name
        alone tells a page of ours from one whose name was pointed at us. It may also be that of an
        allowed origin. `program`: no browser makes the request, so no page does; a name without
        dots is then one of the network it runs in.
        """
        own = parse_origin(f"{scheme}://{host}")
        if own is None:
            return False
        if self._is_ours(own, proxied=proxied) or (program and "." not in own.host):
            return True
        if any(own.host == each.host for each in self._allowed):
            return True
        return any(_is_below(own._replace(scheme=e.scheme, port=e.port), e) for e in self._below)

    def _is_ours(self, asked: Origin, *, proxied: bool) -> bool:
        """Tell whether a page under this name can only be from us.

        Anyone can point a name at our address once the browser has their page (DNS rebinding), and
        the `Host` of that page is as false as its origin. For a public name that takes a domain,
        for one without dots a machine in the same network. So a name is ours if it cannot be
        pointed elsewhere, or is this machine's own. By https, the certificate proves a name without
        dots: no public authority certifies one. At a trusted proxy it may also be on port 80, where
        the proxy decides which names it serves.
        """
        name = asked.host
        if _is_address(name) or name == "localhost" or name.endswith(".localhost"):
            return True
        if name in self._names:
            return True
        proved = asked.scheme == "https" or (proxied and asked.port == _DEFAULT_PORTS["http"])
        return "." not in name and proved


def machine_names() -> frozenset[str]:
    """Return the name of this machine, and its first label, in lower case."""
    name = socket.gethostname().lower()
    return frozenset({name, name.partition(".")[0]} - {""})


def parse_origin(origin: str) -> Origin | None:
    """Return an origin with the scheme's default port filled in; None if it is none."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.scheme or not parts.hostname or parts.username is not None:
        return None
    if parts.path or parts.query or parts.fragment:
        return None
    return Origin(parts.scheme, parts.hostname, port)


def without_userinfo(origin: str) -> str:
    """Return `origin` to be shown: a user and a password in it are no text for a log."""
    return _USERINFO.sub(r"\1…@", origin)


def origin_fault(origin: str) -> str:
    """Say why an entry of ALLOWED_ORIGINS can stand for no page; empty if it can."""
    shown = repr(without_userinfo(origin))
    if origin.lower() == "null" or origin.lower().startswith(("file:", "data:", "about:")):
        return (
            f"{shown} is what any page has that is opened as a file or in a sandboxed frame, and "
            "cannot be allowed: serve that page by http"
        )
    if origin.lower().startswith(("ws://", "wss://")):
        return f"{shown} is an address of a WebSocket; the origin of a page has http or https"
    if "*" in origin and not _is_pattern(origin):
        return (
            f"{shown} is too wide, or no pattern: * stands for whole labels in front of a name, "
            "as in https://*.example.com"
        )
    if not origin.isascii():
        return f"{shown} has to be written as browsers do, with the name as xn--…"
    parsed = parse_origin(origin)
    if parsed is None or not _HOST.fullmatch(parsed.host.removeprefix("*.")):
        return f"{shown} is not an origin such as https://example.com"
    return ""


def _is_pattern(origin: str) -> bool:
    """Tell whether a `*` stands for all below a name that somebody can have to themselves."""
    parsed = parse_origin(origin)
    if parsed is None or parsed.scheme not in _DEFAULT_PORTS or origin.count("*") > 1:
        return False
    name = parsed.host.removeprefix("*.")
    if name == parsed.host or not _LABELS.fullmatch(name) or _is_address(name):
        return False
    return "." in name or name == "localhost"


def _is_below(asked: Origin, pattern: Origin) -> bool:
    name = asked.host.removesuffix(pattern.host[1:])
    same = (asked.scheme, asked.port) == (pattern.scheme, pattern.port)
    return same and name != asked.host and _LABELS.fullmatch(name) is not None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
