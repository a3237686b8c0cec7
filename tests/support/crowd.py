"""Many browsers at once, as raw sockets: more than a client library could serve in time."""

from __future__ import annotations

import json
import selectors
import socket
import threading
import time

from tests.support.servers import PATIENCE

UPGRADE = (
    b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
NO_MASK = bytes(4)  # leaves the payload as it is (RFC 6455, section 5.3)
CLOSE = b"\x88\x80" + NO_MASK


class Crowd:
    """`count` browsers that follow `subject`. They read nothing until `read` is called."""

    def __init__(self, port: int, subject: str, count: int) -> None:
        self.heard: dict[socket.socket, bytearray] = {}
        """What came to each after the response to its request, to the end of its connection."""
        self._port, self._count = port, count
        request = json.dumps({"subjects": [subject]}).encode()
        self._request = bytes([0x81, 0x80 | len(request)]) + NO_MASK + request
        self._reading = threading.Thread(target=self._read_all)

    def __enter__(self) -> Crowd:
        for _ in range(self._count):
            browser = socket.socket()
            browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            browser.settimeout(PATIENCE)
            browser.connect(("127.0.0.1", self._port))
            browser.sendall(UPGRADE)
            self.heard[browser] = bytearray()
        for browser in self.heard:
            _read_frame_with(browser, b"connection_id")
            browser.sendall(self._request)
        for browser in self.heard:
            _read_frame_with(browser, b"Successfully connected to events")
        return self

    def __exit__(self, *error: object) -> None:
        for browser in self.heard:
            browser.close()

    def read(self) -> None:
        """Read in a thread from now on, until each connection has ended, and answer its close."""
        self._reading.start()

    def wait_for_the_end(self) -> None:
        """Wait until each connection has ended."""
        self._reading.join(PATIENCE)
        assert not self._reading.is_alive()

    def _read_all(self) -> None:
        selector = selectors.DefaultSelector()
        for browser in self.heard:
            selector.register(browser, selectors.EVENT_READ)
        deadline = time.monotonic() + 2 * PATIENCE
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                browser = key.fileobj
                assert isinstance(browser, socket.socket)
                try:
                    piece = browser.recv(65536)
                    self.heard[browser] += piece
                    if b"\x88" in piece:
                        browser.sendall(CLOSE)
                except ConnectionError:
                    piece = b""
                if not piece:
                    selector.unregister(browser)


def _read_frame_with(browser: socket.socket, text: bytes) -> None:
    """Read what has come so far, up to the end of the frame that holds `text`."""
    heard = b""
    while text not in heard or not heard.endswith(b"}"):
        piece = browser.recv(4096)
        assert piece, heard
        heard += piece
