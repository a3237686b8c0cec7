"""Requests that come compressed: led past aiohttp, and inflated when they are taken.

aiohttp would inflate each message as soon as it has read it, and keep an inflater of 40 KiB for
each connection that has sent one.
"""

from __future__ import annotations

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType

from bridge.wire.deflate import InflatedTooLarge, InflateError, inflate
from bridge.wire.frames import BINARY, COMPRESSED, FINAL, OPCODE, RESERVED, TEXT, read_head

_PLAIN = 0


class CompressedRequests:
    """Those of one connection, whose browser may compress them, with up to `most` bytes each.

    To aiohttp a compressed message is a binary one. A mark of compression that stands where it must
    not be is left to it, and there it is an error.
    """

    __slots__ = ("_begun", "_head", "_most", "_payload_left")

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun = bytearray()
        """Of each message that has begun, and was not taken yet: its opcode if it is compressed."""
        self._head = b""
        """What has come of a head that is not whole."""
        self._payload_left = 0

    def unmark(self, data: bytes) -> bytes:
        """Return what aiohttp may read of `data` and of what was held back before."""
        if self._payload_left >= len(data):
            self._payload_left -= len(data)
            return data
        data, position = self._head + data, self._payload_left
        unmarked: bytearray | None = None
        while head := read_head(data, position):
            opcode = head.first & OPCODE
            if opcode in (TEXT, BINARY):
                compressed = head.first & RESERVED == COMPRESSED
                self._begun.append(opcode if compressed else _PLAIN)
                if compressed:
                    unmarked = unmarked or bytearray(data)
                    unmarked[position] = head.first & FINAL | BINARY
            position = head.end
        self._head = data[position:]
        self._payload_left = max(0, position - len(data))
        return bytes(unmarked or data)[:position]

    def take(self, message: WSMessage) -> WSMessage:
        """Return `message` of aiohttp, the next one, as it was meant. Raises WebSocketError."""
        opcode = self._begun[0]
        del self._begun[:1]
        if opcode == _PLAIN:
            return message
        try:
            data = inflate(message.data, self._most)
            if opcode == BINARY:
                return WSMessage(WSMsgType.BINARY, data, None)
            return WSMessage(WSMsgType.TEXT, data.decode(), None)
        except InflatedTooLarge as error:
            raise WebSocketError(WSCloseCode.MESSAGE_TOO_BIG, str(error)) from None
        except InflateError as error:
            raise WebSocketError(WSCloseCode.INVALID_TEXT, str(error)) from None
        except UnicodeDecodeError:
            raise WebSocketError(WSCloseCode.INVALID_TEXT, "Invalid UTF-8 text message") from None
