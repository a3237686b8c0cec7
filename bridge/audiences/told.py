"""A stored message as it stands on our wire: its place in the stream beside subject and payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from bridge.wire.metadata import Annotated, read_headers

if TYPE_CHECKING:
    from bridge.history.stored import Stored

_encode = msgspec.json.encode


def keys_for(meta: tuple[str, ...]) -> tuple[str, ...]:
    """Return what stands beside each message for who wants `meta`; what it has not is left out.

    A stream keeps no reply subject.
    """
    return "seq", *(key for key in meta if key != "reply"), "replay", "operation"


def told(message: Stored, meta: tuple[str, ...], *, is_replay: bool = False) -> Annotated:
    """Return the payload of a message with what is told of it to who wants `meta`."""
    made = Annotated(message.payload)
    made.seq_key = b',"seq":%d' % message.sequence
    if is_replay:
        made.replay_key = b',"replay":true'
    if "time" in meta:
        made.time_key = b',"time":"%b"' % message.time.encode()
    if message.headers:
        if "headers" in meta:
            made.headers_key = b',"headers":%b' % _encode(read_headers(message.headers)[0])
        operation = message.operation
        if operation is not None:
            made.operation_key = b',"operation":%b' % _encode(operation)
    return made
