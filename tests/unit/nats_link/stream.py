"""What a NATS server sends, and a client and a tap that note what a parser makes of it."""

from __future__ import annotations

import asyncio
from typing import Any

from bridge.nats_link.tapped import Lane

TAPPED = 1


class Client:
    """Notes what a parser hands on."""

    def __init__(self, *, with_meta: bool = False) -> None:
        self.heard: list[Any] = []
        self._with_meta = with_meta

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes | None
    ) -> None:
        more = (bytes(reply or b""), bytes(headers or b"")) if self._with_meta else ()
        self.heard.append((sid, subject.decode(), bytes(data), *more))

    async def _process_err(self, text: str) -> None:
        self.heard.append(text)

    async def _process_ping(self) -> None:
        self.heard.append("ping")

    async def _process_pong(self) -> None:
        self.heard.append("pong")

    def _process_info(self, info: Any) -> asyncio.Future[None]:
        # nats-py 2.6.0 does not await it, later ones do.
        self.heard.append(info)
        done = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def msg(subject: str, sid: int, payload: bytes, reply: str) -> bytes:
    words = [subject, str(sid), *([reply] if reply else []), str(len(payload))]
    return f"MSG {' '.join(words)}\r\n".encode() + payload + b"\r\n"


def hmsg(subject: str, sid: int, payload: bytes, reply: str = "", value: bytes = b"b") -> bytes:
    headers = b"NATS/1.0\r\na: %b\r\n\r\n" % value
    sizes = [str(len(headers)), str(len(headers) + len(payload))]
    words = [subject, str(sid), *([reply] if reply else []), *sizes]
    return f"HMSG {' '.join(words)}\r\n".encode() + headers + payload + b"\r\n"


class Tap:
    """Hands what it gets to `heard`; notes which lanes it was asked for."""

    pattern = ">"

    def __init__(self, heard: list[Any]) -> None:
        self.asked: list[str] = []
        self.heard = heard

    wants_meta = False

    def lane(self, subject: str) -> Lane:
        self.asked.append(subject)
        return lambda run: self.heard.extend(self._noted(subject, each) for each in run)

    def _noted(self, subject: str, payload: bytes) -> tuple[Any, ...]:
        if not self.wants_meta:
            assert type(payload) is bytes
            return TAPPED, subject, payload
        reply, headers = getattr(payload, "reply", b""), getattr(payload, "headers", b"")
        return TAPPED, subject, bytes(payload), reply, headers

    def refuse(self, code: str) -> None:
        self.heard.append(code)
