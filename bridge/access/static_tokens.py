"""Static tokens: those that a file lists."""

from __future__ import annotations

import hmac
import re

from bridge.access.grant_lines import Line, read_lines
from bridge.access.history_policy import NO_PATTERNS, HistoryPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Principal, digest_of, is_text
from bridge.files import Reread
from bridge.wire.patterns import PatternSet

KIND = "token"
"""How their identities begin."""
MIN_TOKEN_CHARACTERS = 16
"""Characters of a token in the file: shorter ones can be guessed."""


class StaticTokens:
    """The tokens that a file lists: a JSON object a line, with `name` and `token` or `sha256`.

    `allow` and `deny` are its grants; those of `common` count where there are none. `publish` has
    those for publishing, `history` those for the past, within `readable`.
    """

    def __init__(
        self, path: str, common: SubjectPolicy, readable: PatternSet = NO_PATTERNS
    ) -> None:
        self._common = common
        self._readable = readable
        self._entries = Reread("TOKENS_FILE", path, self._parse)

    def principal(self, token: str, now: float) -> Principal | None:
        """Return who holds `token`; None if it is not in the file."""
        digest = digest_of(token)
        found = None
        # All of them, and each in constant time: how long it takes tells nothing.
        for known, principal in self._entries():
            if hmac.compare_digest(known, digest):
                found = principal
        return found

    def revoked(self, principal: Principal) -> bool:
        """Tell whether the file no longer lists a token for exactly `principal`."""
        if principal.identity[:1] != (KIND,):
            return False
        return all(principal != each for _, each in self._entries())

    def _parse(self, text: str) -> list[tuple[str, Principal]]:
        entries = [self._entry(line) for line in read_lines(text)]
        if not entries:
            # As it looks in the middle of being written, too.
            raise ValueError("the file lists no token")
        return entries

    def _entry(self, line: Line) -> tuple[str, Principal]:
        number, fields, grants, publish, own = line
        name, token, digest = (fields.pop(key, None) for key in ("name", "token", "sha256"))
        if fields or not isinstance(name, str) or not name:
            takes = "token, sha256, allow, deny, publish, history"
            raise ValueError(f"line {number} needs a name, and takes {takes}")
        if not is_text(name):
            raise ValueError(f"line {number} has a name that is not valid Unicode")
        if digest is None and isinstance(token, str) and len(token) >= MIN_TOKEN_CHARACTERS:
            digest = digest_of(token)
        elif token is not None or not re.fullmatch(r"[0-9a-fA-F]{64}", str(digest)):
            raise ValueError(
                f"line {number} needs a token of at least {MIN_TOKEN_CHARACTERS} characters, or "
                "its sha256 in hexadecimal digits"
            )
        policy = grants.under(self._common)
        history = HistoryPolicy.of(policy, self._readable, own)
        to_publish = publish.to_publish()
        holder = Principal(policy, (KIND, name), publish=to_publish, history=history)
        return digest.lower(), holder
