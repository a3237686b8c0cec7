"""What Docker asks to know whether messages flow: `python -m bridge.healthcheck`.

It runs every few seconds, so it imports nothing else of the service. Not with urllib, which would
go through a proxy that Docker was told of.
"""

from __future__ import annotations

import os
import ssl
import sys
from http.client import BadStatusLine, HTTPConnection, HTTPException, HTTPSConnection

_SECONDS = 3


def main() -> int:
    """Print what /readyz says; return 0 if messages flow, and 1 if not."""
    try:
        status, text = _ask(int(os.environ.get("HTTP_PORT", 5001)))
    except (OSError, HTTPException, ValueError, OverflowError) as error:
        print(f"HTTP_PORT: no answer there: {error!r}")
        return 1
    print(text)
    return int(status != 200)


def _ask(port: int) -> tuple[int, str]:
    try:
        return _ready(HTTPConnection("localhost", port, timeout=_SECONDS))
    except (BadStatusLine, ConnectionResetError):
        # This is how https answers http. Its certificate is for others, not for localhost.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secure = HTTPSConnection("localhost", port, timeout=_SECONDS, context=context)
        return _ready(secure)


def _ready(connection: HTTPConnection) -> tuple[int, str]:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


if __name__ == "__main__":
    sys.exit(main())
