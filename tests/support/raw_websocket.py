"""A WebSocket by hand: frames that no library would send, and those that come as they are."""

from __future__ import annotations

import socket
import zlib

from tests.support.raw_http import UPGRADE, head
from tests.support.servers import PATIENCE

FINAL, COMPRESSED = 0x80, 0x40
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FLUSHED = b"\x00\x00\xff\xff"


def client_frame(first: int, payload: bytes = b"", mask: bytes = b"\x11\x22\x33\x44") -> bytes:
    """Return a frame as a browser sends it; `first` is its first byte."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = b"\xfe" + size.to_bytes(2)
    else:
        length = b"\xff" + size.to_bytes(8)
    key = int.from_bytes((mask * (size // 4 + 1))[:size])
    return bytes([first]) + length + mask + (int.from_bytes(payload) ^ key).to_bytes(size)


def packed(text: bytes) -> bytes:
    """Return `text` as a client compresses it."""
    deflater = zlib.compressobj(wbits=-15)
    data = deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return data.removesuffix(FLUSHED)


class RawWebSocket:
    """Use with `with`. `offer`: its `Sec-WebSocket-Extensions`, if it is to have one.

    `buffer`: bytes that come before they are asked for, roughly; 0 for as many as the system has.
    `at_once` comes in one piece with the handshake.
    """

    def __init__(
        self,
        port: int,
        offer: str | None = None,
        path: str = "/stream",
        *,
        buffer: int = 0,
        at_once: bytes = b"",
    ) -> None:
        headers = {"Host": "127.0.0.1", **UPGRADE}
        if offer is not None:
            headers["Sec-WebSocket-Extensions"] = offer
        self._socket = socket.socket()
        if buffer:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self._socket.settimeout(PATIENCE)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(head(f"GET {path}", headers) + at_once)
        self._data = b""
        self.head = self._until(b"\r\n\r\n").decode()
        """That of the response to the handshake."""

    def __enter__(self) -> RawWebSocket:
        assert self.head.startswith("HTTP/1.1 101 "), self.head
        assert b"connection_id" in self.frame()[1]
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave without a word."""
        self._socket.close()

    @property
    def extensions(self) -> str | None:
        """What was agreed on."""
        lines = [line.partition(": ") for line in self.head.split("\r\n")]
        found = [value for name, _, value in lines if name.lower() == "sec-websocket-extensions"]
        assert len(found) < 2
        return found[0] if found else None

    def send(self, *frames: bytes) -> None:
        self._socket.sendall(b"".join(frames))

    def frame(self) -> tuple[int, bytes]:
        """Return the next frame: its first byte, and its payload."""
        first, second = self._take(2)
        assert second < 128
        extended = {126: 2, 127: 8}.get(second, 0)
        size = int.from_bytes(self._take(extended)) if extended else second
        return first, self._take(size)

    def text(self) -> tuple[bool, bytes]:
        """Return whether the next frame is compressed, and its text."""
        first, payload = self.frame()
        if first == FINAL | TEXT:
            return False, payload
        assert first == FINAL | COMPRESSED | TEXT, (first, payload)
        return True, zlib.decompressobj(-15).decompress(payload + FLUSHED)

    def closed_with(self) -> tuple[int, str]:
        """Pass over what comes up to the close frame; return its code and its reason."""
        while (frame := self.frame())[0] != FINAL | CLOSE:
            pass
        return int.from_bytes(frame[1][:2]), frame[1][2:].decode()

    def _take(self, size: int) -> bytes:
        while len(self._data) < size:
            piece = self._socket.recv(65536)
            assert piece, f"it ended behind {self._data!r}"
            self._data += piece
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def _until(self, end: bytes) -> bytes:
        while end not in self._data:
            piece = self._socket.recv(65536)
            assert piece, self._data
            self._data += piece
        taken, _, self._data = self._data.partition(end)
        return taken
