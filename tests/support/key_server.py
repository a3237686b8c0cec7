"""An identity provider's key set, served by HTTP on this machine."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support import minting


class KeyServer:
    """Serves `body` with `status` and `headers`; a `delay` comes first, in seconds.

    By https if there is a certificate with its key. Use with `with`.
    """

    def __init__(self, tls: tuple[Path, Path] | None = None, port: int = 0) -> None:
        self.status, self.body, self.headers = 200, key_set("RS256"), {}
        self.delay = 0.0
        self.endless = False
        """Whether the body goes on for ever, without a length."""
        self.asked = 0
        """How many requests came."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self.scheme = "http"
        if tls is not None:
            self.scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/keys"

    def __enter__(self) -> KeyServer:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(owner) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked += 1
                time.sleep(owner.delay)
                self.send_response(owner.status)
                for name, value in owner.headers.items():
                    self.send_header(name, value)
                if not owner.endless:
                    self.send_header("Content-Length", str(len(owner.body)))
                self.end_headers()
                self.wfile.write(owner.body)
                while owner.endless:
                    self.wfile.write(b" " * 4096)

            def log_message(self, *arguments: Any) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # the gateway has read enough

        return Handler


def key_set(*algorithms: str, **kids: str) -> bytes:
    """Return a JWKS with the public keys for `algorithms`; `kids`: their ids, by algorithm."""
    named = {algorithm: {"kid": kid} for algorithm, kid in kids.items()}
    keys = [minting.jwk(each, **named.get(each, {})) for each in {*algorithms, *kids}]
    return json.dumps({"keys": keys}).encode()
