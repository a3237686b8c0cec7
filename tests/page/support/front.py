"""What stands before a gateway and lets its page through, but no WebSocket."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.servers import Gateway


class Front:
    """Passes plain requests on to a gateway, and so drops the upgrade of a WebSocket.

    `answer`: status and headers for `/stream` instead, without asking the gateway.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.answer: tuple[int, dict[str, str]] | None = None
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if front.answer and self.path.startswith("/stream"):
                    self._give(front.answer[0], front.answer[1], b"")
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
                passed = ("Host", "Origin", "Accept", "Sec-Fetch-Site")
                headers = {name: self.headers[name] for name in passed if name in self.headers}
                url = f"{gateway.url}{self.path}"
                data = (body or b"") if self.command == "POST" else None
                request = urllib.request.Request(url, data, headers, method=self.command)
                try:
                    with urllib.request.urlopen(request, timeout=10) as response:
                        self._give(response.status, dict(response.headers), response.read())
                except urllib.error.HTTPError as error:
                    self._give(error.code, dict(error.headers), error.read())

            do_POST = do_GET

            def _give(self, status: int, headers: dict[str, str], body: bytes) -> None:
                self.send_response(status)
                dropped = ("Content-Length", "Connection", "Upgrade", "Transfer-Encoding")
                for name, value in headers.items():
                    if name not in dropped:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
