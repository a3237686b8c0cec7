"""What the NATS client protocol is made of: where an item ends, and what is in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nats.errors import ProtocolError

from bridge.wire.metadata import annotated

if TYPE_CHECKING:
    from bridge.nats_link.remembered_lines import Way


def item_end(data: bytes, position: int) -> int | None:
    """Return where the item at `position` ends, payload included; None if that cannot be told."""
    line_end = data.find(b"\r\n", position)
    if line_end < 0:
        return None
    verb, _, words = data[position:line_end].partition(b" ")
    size = words.rpartition(b" ")[2]
    if verb in (b"MSG", b"HMSG") and size.isdigit():
        return line_end + 2 + int(size) + 2
    return line_end + 2


def cut(data: bytes, position: int, line: bytes, size: int, count: int) -> list[bytes] | None:
    """Return headers and payload of each of `count` messages with this line and size.

    None if they are not so many.
    """
    stride = len(line) + size + 2
    first, end = position + len(line), position + count * stride
    payloads = [data[start : start + size] for start in range(first, end, stride)]
    # What stands between the payloads shows whether they are where they seem to be.
    return payloads if (b"\r\n" + line).join(payloads) == data[first : end - 2] else None


class Message(NamedTuple):
    """What nats-py is told of a message."""

    sid: int
    subject: bytes
    reply: bytes
    payload: bytes
    headers: bytes | None


def read_message(line: bytes, rest: bytes) -> Message:
    """Read a MSG or HMSG. Raises ProtocolError."""
    words = line.split(b" ")
    with_headers = words[0] == b"HMSG"
    try:
        subject, sid = words[1], int(words[2])
        reply = words[3] if len(words) == 5 + with_headers else b""
        size_of_headers = int(words[-2]) if with_headers else 0
    except (ValueError, IndexError):
        raise ProtocolError("nats: malformed MSG") from None
    headers, payload = rest[:size_of_headers], rest[size_of_headers:-2]
    return Message(sid, subject, reply, payload, headers or None)


def take_answered(
    data: bytes, position: int, line: bytes, way: Way, run: list[bytes], *, tells: bool
) -> int:
    """Take the messages whose lines differ from `line` in nothing but the reply subject."""
    _, _, size, head, reply = way
    rest = line.split(b" ", 3)[3]
    beginning, ending = line[: -len(rest)], rest[len(reply) :]
    begins, find, last = data.startswith, data.find, len(data) - size - 2
    to_reply, to_size = len(beginning), len(ending)
    while begins(beginning, position):
        begin = position + to_reply
        start = find(b"\r\n", begin) + 2
        if start > last or start - to_size <= begin or not begins(ending, start - to_size):
            break
        payload = data[start + head : start + size]
        if tells:
            reply = data[begin : start - to_size]
            payload = annotated(payload, reply, data[start : start + head])
        run.append(payload)
        position = start + size + 2
    return position


def payloads_of(blocks: list[bytes], head: int, tells: bool) -> list[bytes]:
    """Return the payloads of messages with headers of `head` bytes."""
    if tells:
        return [annotated(block[head:], b"", block[:head]) for block in blocks]
    return [block[head:] for block in blocks]
