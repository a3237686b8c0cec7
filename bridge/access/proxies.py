"""What a reverse proxy says about a request: where it came from, and how it was asked for."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

from multidict import MultiMapping

from bridge.access.addresses import parse_address

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")
_PAGE_SCHEMES = {"ws": "http", "wss": "https"}
"""Of the page that opens a WebSocket: some proxies (Traefik) write that of the WebSocket."""
_NO_PORTS = {"http": "443", "https": "80"}
"""The ports of the other scheme, told by what stands behind the proxy that ended TLS."""
_HAS_PORT = re.compile(r":\d*$")
_PAIR = re.compile(r'\s*(for|proto|host)\s*=\s*(?:"([^"]*)"|([^\s;,"]+))\s*', re.IGNORECASE)


class Caller(NamedTuple):
    """Who made a request, and the scheme and host it was made to."""

    address: str
    scheme: str
    host: str


class TrustedProxies:
    """The proxies whose word counts: addresses and networks; ValueError if one is neither.

    A proxy adds to the end of a list, so what its own caller has written stands before that and is
    believed only as far back as the addresses in the list are proxies of ours themselves.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(each) for each in networks]

    def trusts(self, address: str) -> bool:
        """Tell whether `address` is that of a proxy of ours."""
        if not self._networks:
            return False
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self._networks)

    def caller(self, peer: str, scheme: str, host: str, headers: MultiMapping[str]) -> Caller:
        """Return who is behind a request that came from `peer`, to `scheme` and `host`.

        With both kinds of headers neither counts: a proxy writes one of them, so the other is its
        caller's.
        """
        itself = Caller(peer, scheme, host)
        if not self.trusts(peer):
            return itself
        if "Forwarded" not in headers:
            # The last one is what the proxy next to us has written.
            scheme = _page_scheme([scheme, *_list(headers, "X-Forwarded-Proto")][-1])
            host = [host, *_list(headers, "X-Forwarded-Host")][-1]
            return Caller(
                self._nearest_stranger(_list(headers, "X-Forwarded-For"), peer)[0],
                scheme,
                _with_port(host, _list(headers, "X-Forwarded-Port"), scheme),
            )
        if any(name in headers for name in _FORWARDED):
            return itself
        hops = [_pairs(hop) for hop in _list(headers, "Forwarded")]
        address, index = self._nearest_stranger([hop.get("for", "") for hop in hops], peer)
        hop = hops[index] if hops else {}
        return Caller(address, _page_scheme(hop.get("proto", scheme)), hop.get("host", host))

    def _nearest_stranger(self, hops: list[str], peer: str) -> tuple[str, int]:
        """Return the last address that is no proxy of ours, and where it is in the list.

        What is no address (`unknown`, a made-up name) ends the search: the hop after it counts.
        """
        address, index = peer, -1
        for position in reversed(range(len(hops))):
            parsed = parse_address(hops[position])
            if parsed is None:
                break
            address, index = str(parsed), position
            if not self.trusts(address):
                break
        return address, index


def is_forwarded(headers: MultiMapping[str]) -> bool:
    """Tell whether a request has come through a proxy, or says so."""
    return any(name in headers for name in ("Forwarded", *_FORWARDED))


def _page_scheme(scheme: str) -> str:
    return _PAGE_SCHEMES.get(scheme.lower(), scheme.lower())


def _with_port(host: str, ports: list[str], scheme: str) -> str:
    """Return `host` with the port that the proxy was asked on, if it has none."""
    port = ports[-1] if ports else ""
    if not re.fullmatch(r"[1-9]\d{0,4}", port, re.ASCII) or int(port) > 65535:
        return host
    return host if _HAS_PORT.search(host) or port == _NO_PORTS.get(scheme) else f"{host}:{port}"


def _list(headers: MultiMapping[str], name: str) -> list[str]:
    """Return the parts of a header that is a list; several lines of it are one list."""
    parts = ",".join(headers.getall(name, ())).split(",")
    return [part.strip() for part in parts if part.strip()]


def _pairs(hop: str) -> dict[str, str]:
    """Return what one hop of `Forwarded` says (RFC 7239), by the name in lower case."""
    found = (_PAIR.fullmatch(pair) for pair in hop.split(";"))
    return {each[1].lower(): each[2] or each[3] or "" for each in found if each}
