"""What tests of publishing send, and how they look at what comes of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from nats.aio.client import Client


def publish(subject: str, **request: object) -> dict[str, object]:
    return {"action": "publish", "subject": subject, "id": 1, **request}


def ask(subject: str, **request: object) -> dict[str, object]:
    return {"action": "request", "subject": subject, "id": 1, **request}


def refused(answer: Any, code: str) -> str:
    """Return the sentence of a refusal."""
    assert (answer["success"], answer["code"], answer.get("id")) == (False, code, 1), answer
    return str(answer["message"])


@contextlib.asynccontextmanager
async def heard(client: Client, pattern: str) -> AsyncIterator[Any]:
    """Return what takes the next message that a plain NATS client gets."""
    subscription = await client.subscribe(pattern)
    await client.flush()
    await client.flush()
    yield lambda: subscription.next_msg(timeout=10)
    await subscription.unsubscribe()
