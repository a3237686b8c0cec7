"""What Docker asks to know whether messages flow: `python -m bridge.healthcheck`.

`python -m bridge.healthcheck /livez` asks whether the process runs, whatever NATS does.

It runs every few seconds, so it imports nothing else of the service. Not with urllib, which would
go through a proxy that Docker was told of.
"""

from __future__ import annotations

import os
import ssl
import sys
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPSConnection

_SECONDS = 3
_EVERYWHERE = ("", "*", "0.0.0.0", "::")  # noqa: S104  that is what somebody set


def main(path: str = "/readyz") -> int:
    """Print what `path` says; return 0 if its status is 200, and 1 if not."""
    host = os.environ.get("HTTP_HOST", "").strip().strip("[]")
    host = "localhost" if host in _EVERYWHERE else host
    try:
        status, text = _ask(host, int(os.environ.get("HTTP_PORT", 5001)), path)
    except (OSError, HTTPException, ValueError, OverflowError) as error:
        print(f"HTTP_PORT: no answer there: {error!r}")
        return 1
    print(text)
    return int(status != 200)


def _ask(host: str, port: int, path: str) -> tuple[int, str]:
    try:
        return _get(HTTPConnection(host, port, timeout=_SECONDS), path)
    except (BadStatusLine, ConnectionResetError):
        # This is how https answers http. Its certificate is for others, not for localhost.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return _get(HTTPSConnection(host, port, timeout=_SECONDS, context=context), path)


def _get(connection: HTTPConnection, path: str) -> tuple[int, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
