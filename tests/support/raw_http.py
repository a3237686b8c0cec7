"""HTTP by hand: requests that no library would send."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}


def head(line: str, headers: dict[str, str]) -> bytes:
    """Return the head of a request; `line` is its first one without the version."""
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def exchange(
    port: int,
    request: bytes,
    *,
    source: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
) -> tuple[int, str]:
    """Send `request` from the address `source`; return status and the text of the response.

    Reads to the end of the response, or of the connection if that comes first.
    """
    address = ("127.0.0.1", port)
    answer = b""
    with contextlib.ExitStack() as stack:
        stream = socket.create_connection(address, timeout=20, source_address=(source, 0))
        stack.enter_context(stream)
        if tls is not None:
            stream = stack.enter_context(tls.wrap_socket(stream, server_hostname="127.0.0.1"))
        stream.sendall(request)
        while not _is_whole(answer) and (piece := stream.recv(65536)):
            answer += piece
    return int(answer.split(b" ")[1]), answer.decode(errors="replace")


def _is_whole(answer: bytes) -> bool:
    begin, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", begin)
    return bool(end) and len(body) >= int(length[1] if length else 0)
