"""Signed tokens: JWTs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jwt

from bridge.access.history_policy import NO_PATTERNS, HistoryPolicy
from bridge.access.jwt_keys import Key
from bridge.access.key_sources import Keys
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import (
    Principal,
    TokenError,
    digest_of,
    granted,
    is_text,
    past_granted,
)
from bridge.wire.patterns import PatternSet

CLOCK_LEEWAY_SECONDS = 30
"""Seconds that the clock of whoever signs tokens may be off."""

_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidAudienceError, "the token is for another audience"),
    (jwt.InvalidIssuerError, "the token is from another issuer"),
    (jwt.MissingRequiredClaimError, "the token lacks a claim it needs"),
)
_WRONG_KEY = (jwt.InvalidSignatureError, jwt.InvalidAlgorithmError, jwt.InvalidKeyError)


class SignedTokens:
    """JWTs, signed with one of `keys`, each key for the one algorithm that suits it.

    Grants for the past, which NATS has none of, are in a claim of their own, within `readable`.
    """

    def __init__(
        self,
        keys: Keys,
        common: SubjectPolicy,
        *,
        audience: tuple[str, ...] = (),
        issuer: str = "",
        readable: PatternSet = NO_PATTERNS,
    ) -> None:
        self._keys = keys
        self._common = common
        self._audience = audience
        self._issuer = issuer
        self._readable = readable

    def principal(self, token: str, now: float) -> Principal:
        """Return who holds `token`. Raises TokenError. `now` is a wall time."""
        claims = self._claims(token)
        try:
            rights = claims.get("nats", {})
            grants, publish = granted(rights.get("sub", {})), granted(rights.get("pub", {}))
            own = past_granted(claims.get("bridge", {}))
        except (ValueError, TypeError, AttributeError):
            raise TokenError("the token's grants are not valid") from None
        holder = claims.get("sub")
        # Those that name nobody are each somebody else's.
        names = (str(claims.get("iss", "")), str(holder)) if holder else (digest_of(token),)
        if not is_text(*names):
            raise TokenError("the token's sub or iss is not valid Unicode")
        try:
            expires = float(claims["exp"])
        except OverflowError:
            raise TokenError("the token is not valid") from None
        # One that came within the leeway is given the rest of it.
        expires = expires if expires > now else expires + CLOCK_LEEWAY_SECONDS
        policy, to_publish = grants.under(self._common), publish.to_publish()
        history = HistoryPolicy.of(policy, self._readable, own)
        return Principal(policy, ("jwt", *names), expires, publish=to_publish, history=history)

    def revoked(self, principal: Principal) -> bool:
        """Tell that none is: a JWT counts until it expires."""
        return False

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

    def _candidates(self, token: str) -> Sequence[Key]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except (jwt.PyJWTError, ValueError, RecursionError):
            return ()
        return self._keys.of(kid)
