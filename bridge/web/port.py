"""Opening the port, or saying why it cannot be had."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

from bridge.telemetry.logs import fail

BACKLOG = 2048
"""Connections that the system may hold until they are taken."""
TAKEN_AT_ONCE = 16
"""Of these: everybody else waits meanwhile, and asyncio would take as many as the system holds."""
SEND_BUFFER_BYTES = 262144
"""That the system holds for a slow browser, unseen by our limits: a connection has it from its
port. Half of it would cost speed at fan-out: it takes more writes to hand on the same."""
ALL_ADDRESSES = "::"
"""Those of IPv4, too: a socket of its own for each, so that addresses are written as usual."""
ALL_OF_IPV4 = "0.0.0.0"  # noqa: S104  that is what somebody sets
FREE_FOR_ALL = 1024
"""From this port on, Linux and macOS let anybody listen."""


async def bind(
    factory: Callable[[], asyncio.BaseProtocol],
    host: str,
    port: int,
    *,
    setting: str = "HTTP_PORT",
    **options: Any,
) -> asyncio.Server:
    """Return a server on `host` and `port`, as `create_server`. Exits with 2 if it cannot be.

    `host`: an address, or a name for some. `::` is every address, of IPv4 as of IPv6. `setting`:
    where the port is from.
    """
    loop = asyncio.get_running_loop()
    try:
        addresses = await _addresses(host)
        server = await loop.create_server(
            factory, addresses, port, backlog=TAKEN_AT_ONCE, **options
        )
    except (OSError, UnicodeError) as error:
        fail(_fault(error, host, port, setting))
    for each in server.sockets:
        with each.dup() as twin:
            twin.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            twin.listen(BACKLOG)
    return server


async def _addresses(host: str) -> list[str]:
    """Return the addresses that `host` stands for and this machine has.

    A name may have one that is not there: `localhost` is also ::1 where IPv6 is switched off.
    Raises OSError if there is none, UnicodeError if `host` cannot be a name.
    """
    loop = asyncio.get_running_loop()
    found = {}
    for each in [ALL_OF_IPV4, host] if host == ALL_ADDRESSES else [host]:
        infos: list[Any] = await loop.getaddrinfo(
            each, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, _, _, address in infos:
            # With its zone: without it, the address of a link is none.
            name, _ = await loop.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
            found[name] = family, kind, address
    there = [name for name, (family, kind, address) in found.items() if _has(family, kind, address)]
    if not there:
        raise OSError(errno.EADDRNOTAVAIL, "this machine has no such address")
    return there


def _has(family: int, kind: int, address: Any) -> bool:
    """Tell whether this machine has `address`: whether one may listen there is another matter."""
    try:
        with socket.socket(family, kind) as probe:
            probe.bind(address)
    except OSError as error:
        return error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
    return True


def _fault(error: Exception, host: str, port: int, setting: str) -> str:
    """Return the line that a start ends with."""
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return f"{setting}: {port} is in use on {host}; set another one"
    if number in (errno.EACCES, errno.EPERM) and port < FREE_FOR_ALL:
        return (
            f"{setting}: {port} is for processes with CAP_NET_BIND_SERVICE, and this one is none: "
            f"set a port above {FREE_FOR_ALL - 1}, or give it that right"
        )
    if isinstance(error, (socket.gaierror, UnicodeError)) or number == errno.EADDRNOTAVAIL:
        return (
            f"HTTP_HOST: {host} is no address of this machine, and no name for one; "
            f"{ALL_OF_IPV4} is every address of IPv4, {ALL_ADDRESSES} every one"
        )
    return f"HTTP_HOST: cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}"
