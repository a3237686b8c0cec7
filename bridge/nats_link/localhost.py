"""What to say of a NATS server on `localhost` that is not there, in a container."""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from bridge.container import in_container

REFUSED = f"[Errno {errno.ECONNREFUSED}]"
LIKELY_CAUSE = (
    " (localhost is this container itself; NATS on the machine that runs it is at "
    "host.docker.internal, on Linux with --add-host=host.docker.internal:host-gateway)"
)


class LocalhostHint:
    """Tells the likely cause, once. `contained` tells whether this process is in a container."""

    def __init__(self, contained: Callable[[], bool] = in_container) -> None:
        self._contained = contained
        self._told = False

    def __call__(self, error: Exception, servers: Iterable[str]) -> str:
        """Return what to add to `error`, which came while `servers` were tried; mostly nothing."""
        if self._told or not is_refused(error) or not any(map(is_here, servers)):
            return ""
        self._told = True
        return LIKELY_CAUSE if self._contained() else ""


def is_refused(error: Exception) -> bool:
    """Tell whether nobody listened; of a name with several addresses, asyncio joins what it got."""
    return isinstance(error, ConnectionRefusedError) or REFUSED in str(error)


def is_here(url: str) -> bool:
    """Tell whether the host of `url` is the one that asks."""
    host = (urlsplit(url).hostname or "").removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
