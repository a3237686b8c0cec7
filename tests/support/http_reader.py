"""Who reads messages by a plain GET: the standard library's HTTP client, an event at a time."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import struct
import zlib
from typing import Any
from urllib.parse import urlencode

from tests.support.servers import PATIENCE

SSE = {"Accept": "text/event-stream"}
GZIP = {"Accept-Encoding": "gzip"}


class Unzipped:
    """Reads a response in gzip as far as it has come."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response
        self._inflater = zlib.decompressobj(wbits=31)
        self._text = b""

    def readline(self) -> bytes:
        while b"\n" not in self._text and self._more():
            pass
        end = self._text.find(b"\n") + 1 or len(self._text)
        line, self._text = self._text[:end], self._text[end:]
        return line

    def read(self) -> bytes:
        """Return all that is left; fail if it does not end as gzip does."""
        while self._more():
            pass
        assert self._inflater.eof and not self._inflater.unused_data
        return self._text

    def _more(self) -> bool:
        data = self._response.read1()
        self._text += self._inflater.decompress(data)
        return bool(data)


class HttpReader:
    """A response that goes on. Use with `with`.

    `query` is that of the URL, as text or by key. Headers may be given, `Accept` among them.
    """

    def __init__(
        self,
        port: int,
        query: str | dict[str, Any],
        headers: dict[str, str] | None = None,
        *,
        receive_buffer: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        where = "127.0.0.1", port
        if tls is None:
            self._connection = http.client.HTTPConnection(*where, timeout=PATIENCE)
        else:
            self._connection = http.client.HTTPSConnection(*where, timeout=PATIENCE, context=tls)
        self._connection.connect()
        self.socket: socket.socket = self._connection.sock
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._connection.request("GET", f"/stream?{text}", headers=headers or {})
        self.response = self._connection.getresponse()
        self.status = self.response.status
        is_zipped = self.response.headers["Content-Encoding"] == "gzip"
        self._body = Unzipped(self.response) if is_zipped else self.response

    def __enter__(self) -> HttpReader:
        return self

    def __exit__(self, *error: object) -> None:
        self.response.close()
        self._connection.close()
        self.socket.close()

    def vanish(self) -> None:
        """Cut the connection as a crash does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.__exit__()

    def line(self) -> str:
        """Return the next line; empty at the end."""
        return self._body.readline().decode()

    def event(self) -> dict[str, str]:
        """Return the fields of the next server-sent event; none at the end."""
        fields: dict[str, str] = {}
        while (line := self.line()) not in ("", "\n"):
            name, _, value = line.removesuffix("\n").partition(": ")
            assert name not in fields
            fields[name] = value
        return fields

    def next(self) -> Any:
        """Return the next line of JSON as a Python value."""
        while (line := self.line()) == "\n":
            pass
        assert line.endswith("\n"), line
        return json.loads(line)

    def begun(self) -> str:
        """Pass over the greeting and one response, which says that it follows; return its id."""
        greeting = self.next()
        assert self.next()["success"] is True
        return str(greeting["connection_id"])

    def rest(self) -> str:
        """Return all that is left. Raises IncompleteRead if the response is cut off."""
        return self._body.read().decode()
