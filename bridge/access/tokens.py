"""Tokens: who holds one, until when, and which subjects it grants.

Nothing here knows a connection or waits. No text that is made here holds any part of a token.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Protocol

from bridge.access import history_policy
from bridge.access.history_policy import HistoryPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.publish_policy import NOTHING, PublishPolicy
from bridge.wire import subjects
from bridge.wire.codes import CloseCode
from bridge.wire.responses import shorten


class TokenError(Exception):
    """A token that does not count; the text says why, for the browser."""

    code = CloseCode.TOKEN
    """What a WebSocket is closed with."""


class NotYet(TokenError):
    """A token that may count in a moment: its browser should come back with the same one."""

    code = CloseCode.RESTART


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a connection is for: nobody in particular, or the holder of a token."""

    policy: SubjectPolicy
    identity: tuple[str, ...] = ()
    """What stays the same from one token to the next: issuer and subject, or the name.

    It begins with the kind: `jwt`, `token`, or `proxy` for who is signed in there."""
    expires: float = math.inf
    """Wall time, in seconds since 1970."""
    groups: tuple[str, ...] = ()
    """Those that its grants were given to, where a proxy names them."""
    publish: PublishPolicy = NOTHING
    """What it may publish to, within what the gateway lets anybody do."""
    history: HistoryPolicy = history_policy.NOTHING
    """Whose past it may read."""

    @property
    def name(self) -> str:
        """What to call it in the log: never a token, nor its digest, which stands in `identity`."""
        if not self.identity:
            return "anyone"
        named = self.identity[0] != "jwt" or len(self.identity) == 3
        return shorten(self.identity[-1]) if named else "unnamed"


def is_text(*names: str) -> bool:
    """Tell whether names can be written: not with half of an emoji, as a name that was cut has.

    Whoever is called by one that cannot would be in no list, log or message.
    """
    try:
        "".join(names).encode()
    except UnicodeEncodeError:
        return False
    return True


def digest_of(token: str) -> str:
    """Return what stands for `token` where it must not be known itself."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Grants:
    """What a token says of subjects; `allow` is None if it says nothing of what is allowed."""

    allow: tuple[str, ...] | None
    deny: tuple[str, ...]

    def under(self, common: SubjectPolicy) -> SubjectPolicy:
        """Return the policy: its own grants or else the common ones; the denials of both."""
        allow = common.allow if self.allow is None else self.allow
        return SubjectPolicy(allow, self.deny, common=common)

    def to_publish(self) -> PublishPolicy:
        """Return the policy for publishing; nothing, if it does not say what is allowed."""
        return PublishPolicy.of(self.allow or (), self.deny)


def granted(lists: dict[str, Any]) -> Grants:
    """Read `{"allow": […], "deny": […]}`.

    Raises ValueError, TypeError or AttributeError if it is something else.
    """
    if not isinstance(lists, dict):
        raise TypeError
    allow = _patterns(lists["allow"]) if "allow" in lists else None
    return Grants(allow, _patterns(lists.get("deny", [])))


def past_granted(fields: dict[str, Any]) -> tuple[str, ...] | None:
    """Read `{"history": […]}`; None if that says nothing of it.

    Raises ValueError, TypeError or AttributeError if it is something else.
    """
    if not isinstance(fields, dict):
        raise TypeError
    return _patterns(fields["history"]) if "history" in fields else None


def _patterns(listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list) or any(map(subjects.fault, listed)):
        raise ValueError
    return tuple(listed)


class Source(Protocol):
    """One kind of tokens."""

    def principal(self, token: str, now: float) -> Principal | None:
        """Return who holds `token`; None if it is of another kind. Raises TokenError.

        `now` is a wall time.
        """

    def revoked(self, principal: Principal) -> bool:
        """Tell whether a token of this kind that counted for `principal` counts no more."""


class Tokens:
    """Every token that counts: `sources` are asked one after another."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources

    def principal(self, token: str, now: float) -> Principal:
        """Return who holds `token`. Raises TokenError. `now` is a wall time."""
        for source in self._sources:
            found = source.principal(token, now)
            if found is not None:
                return found
        raise TokenError("the token is not valid")

    def revoked(self, principal: Principal) -> bool:
        """Tell whether what counted for `principal` counts no more, though it has not expired."""
        return any(source.revoked(principal) for source in self._sources)
