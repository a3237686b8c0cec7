"""What an embedded server keeps: the test messages, so that whoever comes later sees them, too."""

from __future__ import annotations

import asyncio
import json

from bridge.telemetry import stream_events
from bridge.telemetry.logs import say, tell

STREAM, SUBJECT = "TEST", "test.subject"
"""Not `test.>`: a stream answers every request on its subjects."""
TIMEOUT_SECONDS = 2.0

_CONFIG = {
    "name": STREAM,
    "description": "made by the gateway",
    "subjects": [SUBJECT],
    "storage": "file",  # an embedded server that crashes has it when it is back
    "max_age": 3600 * 10**9,
    "max_bytes": 10 * 1024 * 1024,
    "discard": "old",
    "allow_direct": True,
}


async def keep_test_messages(port: int) -> None:
    """Have the server on a loopback port store the test messages; log it if it does not."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await _make(port)
        line = f"past  the stream {STREAM} keeps an hour of {SUBJECT}, for who opens the page later"
        say(line, stream_events.TEST_STREAM)
    except TimeoutError:
        tell(stream_events.TEST_STREAM_FAILED, reason="JetStream does not answer")
    except (OSError, EOFError, ValueError) as error:
        tell(stream_events.TEST_STREAM_FAILED, reason=str(error))


async def _make(port: int) -> None:
    """Make the stream. Idempotent. Raises OSError, EOFError, ValueError."""
    body = json.dumps(_CONFIG).encode()
    request = b'CONNECT {"verbose":false}\r\nSUB answer 1\r\n' + (
        b"PUB $JS.API.STREAM.CREATE.%b answer %d\r\n%b\r\n" % (STREAM.encode(), len(body), body)
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        while not (line := await reader.readline()).startswith(b"MSG "):
            if not line or line.startswith(b"-ERR"):
                raise ConnectionError(line.decode().strip() or "the server hung up")
        answer = json.loads(await reader.readexactly(int(line.split()[-1])))
    finally:
        writer.close()
    if "error" in answer:
        raise ConnectionError(answer["error"]["description"])
