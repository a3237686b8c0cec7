"""A gateway that is brought messages with headers or reply subjects."""

from __future__ import annotations

import json
from typing import TypeVar

from bench.targets import Gateway, masked
from bridge.wire.frames import text_frame

G = TypeVar("G", bound=Gateway)


def variants(gateway: Gateway) -> list[Gateway]:
    """Return the same process under several names: what it is brought differs, or is asked for."""
    asking = _variant(WithHeaders, gateway, "with a header, asked for")
    asking.asked = ("headers",)
    return [
        _variant(Gateway, gateway, "plain"),
        _variant(WithReply, gateway, "with a reply subject"),
        _variant(WithHeaders, gateway, "with a header"),
        asking,
    ]


def _variant(kind: type[G], gateway: Gateway, name: str) -> G:
    other = object.__new__(kind)
    other.__dict__ = gateway.__dict__ | {"name": name}
    return other


class WithHeaders(Gateway):
    """A gateway that is brought messages with a header, each another one."""

    asked: tuple[str, ...] = ()

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        if not self.asked:
            return super().steps(patterns)
        hello, *_ = super().steps(patterns)
        request = {"subjects": patterns, "meta": self.asked}
        return [hello, (masked(json.dumps(request).encode()), b'"message"')]

    def command(self, subject: str, payload: bytes) -> bytes:
        headers = b"NATS/1.0\r\nNats-Msg-Id: %b\r\n\r\n" % payload[6:13]
        sizes = len(headers), len(headers) + len(payload)
        return b"HPUB %b %d %d\r\n%b%b\r\n" % (subject.encode(), *sizes, headers, payload)

    def delivery(self, subject: str, payload: bytes) -> bytes:
        if not self.asked:
            return super().delivery(subject, payload)
        line = b'{"subject":"%b","headers":[["Nats-Msg-Id","%b"]],"data":%b}'
        return text_frame(line % (subject.encode(), payload[6:13], payload))


class WithReply(Gateway):
    """A gateway that is brought requests, each with a reply subject of its own."""

    def command(self, subject: str, payload: bytes) -> bytes:
        reply = b"_INBOX.QmFzZTY0dGVzdA." + payload[6:13]
        return b"PUB %b %b %d\r\n%b\r\n" % (subject.encode(), reply, len(payload), payload)
