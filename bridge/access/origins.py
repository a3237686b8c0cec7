"""Which web pages may connect."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


class OriginPolicy:
    """Which web pages may connect. A request without `Origin` comes from no browser and passes."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {normal_origin(origin) for origin in allowed}

    def allows(self, origin: str | None, scheme: str, host: str) -> bool:
        """Compare `origin` (RFC 6454: scheme, host, port) with our own and with the allowed ones.

        `scheme` and `host` are those of the request, its `Host` header for the latter. A public
        name is our own only if it is allowed by name: anyone can point one at our address (DNS
        rebinding), and the `Host` of such a page is as false as its origin.
        """
        if origin is None:
            return True
        asked = normal_origin(origin)
        if asked is None:
            return False
        ours = asked == normal_origin(f"{scheme}://{host}") and not _is_public_name(asked[1])
        return ours or asked in self._allowed


def normal_origin(origin: str) -> tuple[str, str, int] | None:
    """Return (scheme, host, port) with the scheme's default port filled in; None if it is none."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.path or parts.query or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port


def _is_public_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(".localhost")
    return False
