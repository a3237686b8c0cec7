"""What NATS lets the gateway's own user subscribe to.

JetStream asks nobody: whoever may use its API reads every subject of a stream. So the gateway holds
itself to its rights, for what is stored as NATS does for what is live.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

from bridge.history.errors import (
    ApiError,
    NoHistoryError,
    NoJetStreamError,
    NotPermittedError,
    UnansweredError,
)
from bridge.wire.patterns import PatternSet

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream

USER_INFO = "$SYS.REQ.USER.INFO"
TIMEOUT_SECONDS = 2.0
RIGHTS_SECONDS, REFUSED_SECONDS = 60.0, 5.0
"""After which NATS is asked again what its user may; after it did not say."""


class OwnRights:
    """Patterns the user may subscribe to, and those it may not; the latter win.

    Two that allow the same are equal.
    """

    def __init__(self, allow: tuple[str, ...] | None, deny: tuple[str, ...]) -> None:
        self._allow = None if allow is None else PatternSet(allow)
        self._deny = PatternSet(deny)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OwnRights):
            return NotImplemented
        return (self._allow, self._deny) == (other._allow, other._deny)

    def __hash__(self) -> int:
        return hash((self._allow, self._deny))

    def may_follow(self, pattern: str) -> bool:
        """Tell whether NATS would accept a subscription to a pattern."""
        if self._allow is not None and not self._allow.covers(pattern):
            return False
        return not self._deny.covers(pattern)

    def may_receive(self, subject: str) -> bool:
        """Tell whether NATS would deliver a message on `subject`, by such a subscription."""
        if self._allow is not None and not self._allow.matches(subject):
            return False
        return not self._deny.matches(subject)


async def ask_rights(js: JetStream) -> OwnRights:
    """Ask NATS. Raises HistoryError."""
    answer = await js.request(USER_INFO, None, TIMEOUT_SECONDS)
    try:
        return read_rights(answer)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnansweredError(f"cannot read what NATS says of its user: {error!r}") from None


def read_rights(answer: dict[str, Any]) -> OwnRights:
    """Return what is said of subscribing in the answer of NATS."""
    permissions = answer["data"].get("permissions") or {}
    subscribe = permissions.get("subscribe") or {}
    allow, deny = subscribe.get("allow"), subscribe.get("deny")
    return OwnRights(None if allow is None else _plain(allow), _plain(deny or ()))


def _plain(patterns: list[str] | tuple[()]) -> tuple[str, ...]:
    """Return those for plain subscriptions; a second word is a queue group's."""
    return tuple(sorted(each for each in patterns if " " not in each))


class RightsOfNow:
    """What NATS lets the gateway read, asked for again from time to time."""

    def __init__(self, js: JetStream) -> None:
        self._js = js
        self._rights: OwnRights | None = None
        self._refusal = ""
        """Why NATS does not say what its user may; empty if it does."""
        self._asked_at = -math.inf
        self._asking = asyncio.Lock()

    async def get(self) -> OwnRights:
        """Return them. Raises NoHistoryError, UnansweredError."""
        async with self._asking:
            age = asyncio.get_running_loop().time() - self._asked_at
            if not self._refusal or age >= REFUSED_SECONDS:
                self._refusal = ""
                if self._rights is None or age > RIGHTS_SECONDS:
                    self._rights = await self._ask()
            if self._rights is None:
                raise NoHistoryError("not_permitted", self._refusal)
            return self._rights

    def forget(self) -> None:
        """Ask at once when they are wanted next."""
        self._rights, self._refusal = None, ""

    async def _ask(self) -> OwnRights | None:
        try:
            return await ask_rights(self._js)
        except (NotPermittedError, NoJetStreamError, ApiError) as error:
            self._refusal = f"NATS does not say what the gateway may read: {error}"
            return None
        finally:
            self._asked_at = asyncio.get_running_loop().time()
