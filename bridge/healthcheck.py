"""What Docker asks to know whether messages flow: `python -m bridge.healthcheck`.

It runs every few seconds, so it imports nothing else of the service. Not with urllib, which would
go through a proxy that Docker was told of.
"""

from __future__ import annotations

import os
import ssl
import sys
from http.client import BadStatusLine, HTTPConnection, HTTPSConnection

_SECONDS = 3


def main() -> int:
    """Print what /readyz says; return 0 if messages flow, and 1 if not."""
    port = int(os.environ.get("HTTP_PORT", 5001))
    try:
        status, text = _ready(HTTPConnection("localhost", port, timeout=_SECONDS))
    except (BadStatusLine, ConnectionResetError):
        # This is how https answers http. Its certificate is for others, not for localhost.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secure = HTTPSConnection("localhost", port, timeout=_SECONDS, context=context)
        status, text = _ready(secure)
    print(text)
    return int(status != 200)


def _ready(connection: HTTPConnection) -> tuple[int, str]:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


if __name__ == "__main__":
    sys.exit(main())
