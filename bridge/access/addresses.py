"""IP addresses: which are loopback, which count as one, and how they are written."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_ADDRESS_CHARACTERS = 100
"""Of IPv6, with brackets, the name of a zone and a port."""

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


@lru_cache(maxsize=64)
def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_address(text: str) -> Address | None:
    """Return the IP address in `text`, which may have a port; None if there is none.

    An IPv4 address is the same address when it is written as an IPv6 one.
    """
    # A forwarded header may hold anything; what is remembered has to be short.
    return _parse_address(text) if len(text) <= MAX_ADDRESS_CHARACTERS else None


@lru_cache(maxsize=1024)
def _parse_address(text: str) -> Address | None:
    with_port = _WITH_PORT.fullmatch(text.strip())
    if with_port:
        text = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def counted_as_one(address: str) -> str:
    """Return what is counted as one address: of IPv6, all that one customer is given."""
    return _counted_as_one(address) if len(address) <= MAX_ADDRESS_CHARACTERS else address


@lru_cache(maxsize=1024)
def _counted_as_one(address: str) -> str:
    parsed = parse_address(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
