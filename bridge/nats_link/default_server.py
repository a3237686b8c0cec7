"""Which NATS server is used where none is named: the one of this machine, or one of our own."""

from __future__ import annotations

from bridge.nats_link.embedded import DEFAULT_PORT, EmbeddedNats, answers
from bridge.telemetry.logs import fail

EMBEDDED = "embedded, its data is temporary"
"""What is said of a server of our own."""


async def find_or_embed(*, may_embed: bool) -> tuple[str, EmbeddedNats | None]:
    """Return the URL of the server, and the server itself if it is our own.

    Exits with 2 if none answers and ours cannot be started.
    """
    if not may_embed or await answers():
        return f"nats://127.0.0.1:{DEFAULT_PORT}", None
    embedded = EmbeddedNats()
    try:
        await embedded.start()
    except (OSError, TimeoutError) as error:
        fail(f"NATS_URL: no server answers on port {DEFAULT_PORT}, and {error}; set NATS_URL")
    return embedded.url, embedded
