"""Targets whose clients take compression, and what they got, inflated."""

from __future__ import annotations

import zlib
from typing import TypeVar

from bench.client import read_head
from bench.targets import Gateway, Native, NatsServer

G = TypeVar("G", bound=Gateway)
OFFER = b"\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
_COMPRESSED, _TAIL = 0x40, b"\x00\x00\xff\xff"
_CONTROL = 0x08


def offering(head: bytes) -> bytes:
    """Return a handshake that offers to compress."""
    return head.removesuffix(b"\r\n\r\n") + OFFER


class OfNats(Native):
    """nats-server's own WebSocket, compressed."""

    def __init__(self, nats: NatsServer) -> None:
        super().__init__(nats)
        self.name = "native, compressed"

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        (head, _), *rest = super().steps(patterns)
        return [(offering(head), b"permessage-deflate"), *rest]  # INFO comes compressed


class Offering(Gateway):
    """A gateway whose clients offer to compress."""

    @classmethod
    def of(cls, gateway: Gateway) -> Offering:
        """Return the same process, asked in this way."""
        return _variant(cls, gateway, f"{gateway.name}, compressed")

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        (head, greeting), *rest = super().steps(patterns)
        return [(offering(head), greeting), *rest]


class Reading(Gateway):
    """A gateway whose clients read server-sent events."""

    gzip = False

    @classmethod
    def of(cls, gateway: Gateway, name: str, *, gzip: bool = False) -> Reading:
        """Return the same process, asked in this way."""
        other = _variant(cls, gateway, f"{name}, gzip" if gzip else name)
        other.gzip = gzip
        return other

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        query = "&".join(f"subjects={each}" for each in patterns)
        head = f"GET /stream?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n"
        packing = "Accept-Encoding: gzip\r\n" if self.gzip else ""
        return [(f"{head}{packing}\r\n".encode(), b'"message"')]


def _variant(kind: type[G], gateway: Gateway, name: str) -> G:
    other = object.__new__(kind)
    other.__dict__ = gateway.__dict__ | {"name": name}
    return other


def text_of(data: bytes) -> bytes:
    """Return the text of whole frames, or of whole chunks, compressed or not."""
    return _of_frames(data) if data[0] & 0x80 else _of_chunks(data)


def _of_frames(data: bytes) -> bytes:
    texts, start = [], 0
    while (head := read_head(data, start)) is not None and start < len(data):
        kind, (begin, size) = data[start], head
        start = begin + size
        if not kind & _CONTROL:
            text = data[begin:start]
            packed = kind & _COMPRESSED
            texts.append(zlib.decompressobj(-15).decompress(text + _TAIL) if packed else text)
    return b"".join(texts)


def _of_chunks(data: bytes) -> bytes:
    chunks, start = [], 0
    while start < len(data):
        begin = data.index(b"\r\n", start) + 2
        start = begin + int(data[start:begin], 16)
        chunks.append(data[begin:start])
        start += 2
    body = b"".join(chunks)
    try:
        return zlib.decompressobj(-15).decompress(body)
    except zlib.error:
        return body
