"""The PROXY protocol, versions 1 and 2: where a connection comes from, as its balancer says first.

https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge.access.addresses import parse_address
from bridge.telemetry import events
from bridge.telemetry.logs import tell

if TYPE_CHECKING:
    from bridge.access.proxies import TrustedProxies
    from bridge.telemetry.throttled_log import ThrottledLog
    from bridge.web.counted_tls import CountedTLS
    from bridge.web.tcp import CountedHandler

V1, V2 = b"PROXY ", b"\r\n\r\n\x00\r\nQUIT\n"
MAX_V1_BYTES = 107
"""Of a whole line, as the specification has it."""
MAX_V2_BYTES = 2048
"""Of what follows the fixed part: addresses, and details that are passed over."""
UNKNOWN = "unknown"
"""Stands for the address of a caller whom the balancer cannot name: nobody we trust."""
_FIXED = len(V2) + 4
_ADDRESS_BYTES = {0x11: 4, 0x21: 16}
"""Of TCP over IPv4 and over IPv6."""


class HeaderError(ValueError):
    """What begins as a header goes on as none."""


def read_header(data: bytes) -> tuple[str | None, int] | None:
    """Return the address that a header names, and how long the header is.

    The address is None where the balancer speaks for itself, to ask for our health (LOCAL), and
    `UNKNOWN` where it speaks for somebody and does not say for whom. The length is 0 if `data`
    begins with no header. None: more has to come to tell. Raises HeaderError.
    """
    if data.startswith(V1):
        return _read_v1(data)
    if data.startswith(V2):
        return _read_v2(data)
    unclear = V1.startswith(data) or V2.startswith(data)
    return None if unclear else (None, 0)


def _read_v1(data: bytes) -> tuple[str | None, int] | None:
    line, end, _ = data[:MAX_V1_BYTES].partition(b"\r\n")
    if not end:
        if len(data) >= MAX_V1_BYTES:
            raise HeaderError("its first line has no end")
        return None
    words = line.decode("ascii", "replace").split(" ")
    size = len(line) + len(end)
    if words[1] == "UNKNOWN":
        return UNKNOWN, size
    if words[1] not in ("TCP4", "TCP6") or len(words) != 6:
        raise HeaderError("its first line makes no sense")
    return _known(words[2]), size


def _read_v2(data: bytes) -> tuple[str | None, int] | None:
    if len(data) < _FIXED:
        return None
    command, family = data[len(V2)], data[len(V2) + 1]
    length = int.from_bytes(data[len(V2) + 2 : _FIXED], "big")
    if command not in (0x20, 0x21) or length > MAX_V2_BYTES:
        raise HeaderError("its version is unknown, or it is too long")
    if len(data) < _FIXED + length:
        return None
    size = _ADDRESS_BYTES.get(family, 0)
    if command == 0x20:
        return None, _FIXED + length
    if not size:
        return UNKNOWN, _FIXED + length
    if length < 2 * size + 4:
        raise HeaderError("it is too short for its addresses")
    raw = data[_FIXED : _FIXED + size]
    text = ".".join(map(str, raw)) if size == 4 else raw.hex(":", 2)
    return _known(text), _FIXED + length


def _known(text: str) -> str:
    address = parse_address(text)
    if address is None:
        raise HeaderError("it names no address")
    return str(address)


class ProxyHeaders:
    """Takes the headers of trusted proxies, and tells of those that do not count."""

    def __init__(self, proxies: TrustedProxies, throttled: ThrottledLog) -> None:
        self._proxies, self._throttled = proxies, throttled
        self._told = False

    def take(self, handler: CountedHandler, data: bytes) -> bytes | None:
        """Return what follows the header, all of it if there is none or it does not count.

        None: more has to come to tell.
        """
        try:
            found = read_header(data)
        except HeaderError as error:
            self._refuse(handler.address, str(error))
            return data
        if found is None:
            return None
        source, size = found
        if not size:
            return data
        if not self._proxies.trusts(handler.address):
            self._refuse(handler.address, "if it is a balancer, name it in TRUSTED_PROXIES")
            return data
        if not self._told:
            self._told = True
            tell(events.PROXY_PROTOCOL, address=handler.address)
        if source is not None:
            handler.comes_from(source)
        return data[size:]

    def _refuse(self, address: str, reason: str) -> None:
        self._throttled.tell(events.REFUSED_PROXY, address=address, reason=reason)


class FirstBytes(asyncio.Protocol):
    """Reads the first bytes of a connection, and then leaves it to what is `above`.

    That is told of the connection from its first moment, so it is counted, and ended if nothing
    comes.
    """

    def __init__(
        self, headers: ProxyHeaders, handler: CountedHandler, above: CountedHandler | CountedTLS
    ) -> None:
        self._headers, self._handler, self._above = headers, handler, above
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on, but for what comes by it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._above.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take what came, until it is known whether there is a header."""
        self._data += data
        rest = self._headers.take(self._handler, self._data)
        if rest is None or self._transport is None:
            return
        self._transport.set_protocol(self._above)
        if not rest:
            return
        if isinstance(self._above, asyncio.Protocol):
            self._above.data_received(rest)
        else:
            feed(self._above, rest)

    def eof_received(self) -> bool | None:
        """Hand it on: no header will come."""
        return self._above.eof_received()

    def pause_writing(self) -> None:
        """Hand it on."""
        self._above.pause_writing()

    def resume_writing(self) -> None:
        """Hand it on."""
        self._above.resume_writing()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hand it on."""
        self._above.connection_lost(exc)


def feed(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    """Give `data` to a protocol that reads into buffers of its own."""
    while data:
        buffer = memoryview(protocol.get_buffer(len(data)))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]
