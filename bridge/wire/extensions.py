"""What a browser offers in `Sec-WebSocket-Extensions`, and what it is answered (RFC 7692)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bridge.wire.deflate import MAX_WINDOW_BITS, MIN_WINDOW_BITS

NAME = "permessage-deflate"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIRST = re.compile(rf"[ \t,]*({_TOKEN})")
_PARAMETER = re.compile(
    rf'[ \t]*;[ \t]*({_TOKEN})(?:[ \t]*=[ \t]*(?:({_TOKEN})|"((?:[^"\\]|\\.)*)"))?'
)
_END = re.compile(r"[ \t]*(?:,|$)")
_BITS = {str(bits): bits for bits in range(8, 16)}
"""A size of a window as it is written: in decimal, without a zero in front (section 7.1.2)."""

Parameters = list[tuple[str, str | None]]


class Agreement(NamedTuple):
    """What both sides keep to. Nothing is taken over from one message to the next, in any case."""

    window_bits: int
    """Of what we compress."""
    answer: str
    """The header of the response."""


def agreed(header: str) -> Agreement | None:
    """Accept the first offer that can be kept to; None if there is none.

    `header`: all of the headers with this name, joined by commas.
    """
    for name, parameters in _offers(header):
        if name == NAME:
            agreement = _agreement(parameters)
            if agreement is not None:
                return agreement
    return None


def _offers(header: str) -> Iterator[tuple[str, Parameters]]:
    """Yield each extension with its parameters, up to where the header makes no sense any more."""
    position = 0
    while first := _FIRST.match(header, position):
        position = first.end()
        parameters: Parameters = []
        while found := _PARAMETER.match(header, position):
            name, token, quoted = found.groups()
            value = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            parameters.append((name, value))
            position = found.end()
        end = _END.match(header, position)
        if end is None:
            return
        yield first[1], parameters
        position = end.end()


def _agreement(parameters: Parameters) -> Agreement | None:
    """Return what one offer comes to; None if it has to be declined (section 7.1)."""
    names = [name for name, _ in parameters]
    if len(set(names)) < len(names) or not all(_is_known(*each) for each in parameters):
        return None
    answer = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
    most = dict(parameters).get("server_max_window_bits")
    if most is None:
        return Agreement(MAX_WINDOW_BITS, answer)
    bits = min(_BITS[most], MAX_WINDOW_BITS)
    if bits < MIN_WINDOW_BITS:
        return None
    return Agreement(bits, f"{answer}; server_max_window_bits={bits}")


def _is_known(name: str, value: str | None) -> bool:
    match name:
        case "server_no_context_takeover" | "client_no_context_takeover":
            return value is None
        case "client_max_window_bits":
            return value is None or value in _BITS
        case "server_max_window_bits":
            return value in _BITS
    return False
