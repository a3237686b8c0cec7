"""Tokens: who holds one, until when, and which subjects it grants.

Nothing here knows a connection or waits. No text that is made here holds any part of a token.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import jwt

from bridge.access.jwt_keys import Key, read_keys
from bridge.access.policy import SubjectPolicy
from bridge.files import Reread
from bridge.wire import subjects
from bridge.wire.responses import shorten

CLOCK_LEEWAY_SECONDS = 30
"""Seconds that the clock of whoever signs tokens may be off."""
MIN_TOKEN_CHARACTERS = 16
"""Characters of a token in the file: shorter ones can be guessed."""

_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidAudienceError, "the token is for another audience"),
    (jwt.InvalidIssuerError, "the token is from another issuer"),
    (jwt.MissingRequiredClaimError, "the token lacks a claim it needs"),
)
_WRONG_KEY = (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError)


class TokenError(Exception):
    """A token that does not count; the text says why, for the browser."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a connection is for: nobody in particular, or the holder of a token."""

    policy: SubjectPolicy
    identity: tuple[str, ...] = ()
    """What stays the same from one token to the next: issuer and subject, or the name."""
    expires: float = math.inf
    """Wall time, in seconds since 1970."""

    @property
    def name(self) -> str:
        """What to call it in the log: never a token, nor its digest, which stands in `identity`."""
        if not self.identity:
            return "anyone"
        named = self.identity[0] == "token" or len(self.identity) == 3
        return shorten(self.identity[-1]) if named else "unnamed"


class StaticTokens:
    """The tokens that a file lists: a JSON object a line, with `name` and `token` or `sha256`.

    `allow` and `deny` are its grants; those of `common` count where there are none.
    """

    def __init__(self, path: str, common: SubjectPolicy) -> None:
        self._common = common
        self._entries = Reread("TOKENS_FILE", path, self._parse)

    def principal(self, token: str) -> Principal | None:
        """Return who holds `token`; None if it is not in the file."""
        digest = _digest(token)
        found = None
        # All of them, and each in constant time: how long it takes tells nothing.
        for known, principal in self._entries():
            if hmac.compare_digest(known, digest):
                found = principal
        return found

    def has(self, principal: Principal) -> bool:
        """Tell whether the file still lists a token for exactly `principal`."""
        return any(principal == each for _, each in self._entries())

    def _parse(self, text: str) -> list[tuple[str, Principal]]:
        lines = enumerate(text.splitlines(), start=1)
        entries = [
            self._entry(number, line)
            for number, line in lines
            if line.strip() and not line.lstrip().startswith("#")
        ]
        if not entries:
            # As it looks in the middle of being written, too.
            raise ValueError("the file lists no token")
        return entries

    def _entry(self, number: int, line: str) -> tuple[str, Principal]:
        try:
            entry = json.loads(line)
            name, token, digest = (entry.pop(key, None) for key in ("name", "token", "sha256"))
            policy = granted({key: entry.pop(key) for key in ("allow", "deny") if key in entry})
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise ValueError(f"line {number} is not a JSON object with valid grants") from None
        if entry or not isinstance(name, str) or not name:
            raise ValueError(f"line {number} needs a name, and takes token, sha256, allow, deny")
        if digest is None and isinstance(token, str) and len(token) >= MIN_TOKEN_CHARACTERS:
            digest = _digest(token)
        elif token is not None or not re.fullmatch(r"[0-9a-fA-F]{64}", str(digest)):
            raise ValueError(
                f"line {number} needs a token of at least {MIN_TOKEN_CHARACTERS} characters, or "
                "its sha256 in hexadecimal digits"
            )
        return digest.lower(), Principal(policy.under(self._common), ("token", name))


class SignedTokens:
    """JWTs, signed with one of the keys in a file, each key for the one algorithm that suits it."""

    def __init__(
        self,
        path: str,
        algorithms: Iterable[str],
        common: SubjectPolicy,
        *,
        audience: tuple[str, ...] = (),
        issuer: str = "",
    ) -> None:
        algorithms = tuple(algorithms)
        self._keys = Reread("JWT_KEY", path, lambda text: read_keys(text, algorithms))
        self._common = common
        self._audience = audience
        self._issuer = issuer

    def principal(self, token: str, now: float) -> Principal:
        """Return who holds `token`. Raises TokenError. `now` is a wall time."""
        claims = self._claims(token)
        try:
            grants = granted(claims.get("nats", {}).get("sub", {}))
        except (ValueError, TypeError, AttributeError):
            raise TokenError("the token's grants are not valid") from None
        holder = claims.get("sub")
        # Those that name nobody are each somebody else's.
        names = (str(claims.get("iss", "")), str(holder)) if holder else (_digest(token),)
        identity = ("jwt", *names)
        try:
            expires = float(claims["exp"])
        except OverflowError:
            raise TokenError("the token is not valid") from None
        # One that came within the leeway is given the rest of it.
        expires = expires if expires > now else expires + CLOCK_LEEWAY_SECONDS
        return Principal(grants.under(self._common), identity, expires)

    def _claims(self, token: str) -> dict[str, Any]:
        for key in self._candidates(token):
            try:
                return jwt.decode(
                    token,
                    key.key,
                    algorithms=[key.algorithm],
                    audience=self._audience or None,
                    issuer=self._issuer or None,
                    leeway=CLOCK_LEEWAY_SECONDS,
                    options={"require": ["exp"], "verify_aud": bool(self._audience)},
                )
            except _WRONG_KEY:
                continue
            except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
                faults = (text for fault, text in _FAULTS if isinstance(error, fault))
                raise TokenError(next(faults, "the token is not valid")) from None
        raise TokenError("the token is not valid")

    def _candidates(self, token: str) -> list[Key]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError, RecursionError):
            return []
        return [key for key in self._keys() if kid is None or key.kid in (None, kid)]


@dataclass(frozen=True, slots=True)
class Grants:
    """What a token says of subjects; `allow` is None if it says nothing of what is allowed."""

    allow: tuple[str, ...] | None
    deny: tuple[str, ...]

    def under(self, common: SubjectPolicy) -> SubjectPolicy:
        """Return the policy: its own grants or else the common ones; the denials of both."""
        allow = common.allow if self.allow is None else self.allow
        return SubjectPolicy(allow, self.deny, common=common)


def granted(lists: dict[str, Any]) -> Grants:
    """Read `{"allow": […], "deny": […]}`.

    Raises ValueError, TypeError or AttributeError if it is something else.
    """
    if not isinstance(lists, dict):
        raise TypeError
    for patterns in lists.get("allow", []), lists.get("deny", []):
        if not isinstance(patterns, list) or any(map(subjects.fault, patterns)):
            raise ValueError
    allow = tuple(lists["allow"]) if "allow" in lists else None
    return Grants(allow, tuple(lists.get("deny", ())))


class Tokens:
    """Every token that counts."""

    def __init__(
        self, static: StaticTokens | None = None, signed: SignedTokens | None = None
    ) -> None:
        self._static = static
        self._signed = signed

    def principal(self, token: str, now: float) -> Principal:
        """Return who holds `token`. Raises TokenError. `now` is a wall time."""
        found = self._static.principal(token) if self._static is not None else None
        if found is not None:
            return found
        if self._signed is None:
            raise TokenError("the token is not valid")
        return self._signed.principal(token, now)

    def revoked(self, principal: Principal) -> bool:
        """Tell whether a static token of `principal` has been taken out of the file since."""
        if self._static is None or principal.identity[:1] != ("token",):
            return False
        return not self._static.has(principal)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()
