"""Signing in at a reverse proxy, which says in a header who it is."""

from __future__ import annotations

import re
from typing import Protocol

from multidict import MultiMapping

from bridge.access.group_grants import GroupGrants, Rights
from bridge.access.history_policy import NO_PATTERNS, HistoryPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.proxies import TrustedProxies
from bridge.access.publish_policy import ANYTHING
from bridge.access.tokens import Principal, TokenError, is_text
from bridge.wire.patterns import PatternSet

KIND = "proxy"
"""How identities of this kind begin."""
NOT_NAMES = frozenset(
    ("authorization", "proxy-authorization", "cookie", "host", "origin", "sec-websocket-protocol")
)
"""Headers that a proxy passes on as its caller wrote them; some hold secrets."""

_NAME = re.compile(r"[A-Za-z0-9-]+")
_JWT = re.compile(r"eyJ[\w-]*\.[\w-]*\.[\w-]*")


def is_header_of_names(header: str) -> bool:
    """Tell whether a proxy could say in `header` who is signed in."""
    return bool(_NAME.fullmatch(header)) and header.lower() not in NOT_NAMES


class Request(Protocol):
    """What is looked at of an HTTP request."""

    @property
    def headers(self) -> MultiMapping[str]: ...
    @property
    def remote(self) -> str | None: ...


class ProxySignIn:
    """Believes what one of `proxies` writes into `header`; from anybody else it counts for nothing.

    `groups_header` has the groups, separated by commas, and `grants` says what they may do. Without
    these, everyone may follow what is `common`, and read the past of what is `readable`.
    """

    def __init__(
        self,
        header: str,
        proxies: TrustedProxies,
        common: SubjectPolicy,
        *,
        groups_header: str = "",
        grants: GroupGrants | None = None,
        readable: PatternSet = NO_PATTERNS,
    ) -> None:
        self.header = header
        self._proxies = proxies
        self._everyone = Rights(common, ANYTHING, HistoryPolicy.of(common, readable))
        self._groups_header = groups_header
        self._grants = grants

    def principal(self, request: Request) -> Principal | None:
        """Return who is signed in at the proxy that `request` comes from; None if it names nobody.

        Raises TokenError if it cannot be told whom it means.
        """
        if not self._proxies.trusts(request.remote or ""):
            return None
        name = _only_value(request, self.header)
        if not name:
            return None
        if "," in name:
            # Some proxies join what came twice: one of the names may be the caller's own.
            raise TokenError(f"the header {self.header} holds more than one name")
        if _JWT.fullmatch(name):
            raise TokenError(f"the header {self.header} holds a token and no name")
        groups: tuple[str, ...] = ()
        rights = self._everyone
        if self._grants is not None:
            listed = _only_value(request, self._groups_header).split(",")
            groups = tuple(group.strip() for group in listed)
            rights = self._grants.rights(groups)
        policy, publish, history = rights
        return Principal(policy, (KIND, name), groups=groups, publish=publish, history=history)

    def changed(self, principal: Principal) -> bool:
        """Tell whether the file gives the groups of `principal` other grants than it has."""
        if self._grants is None or principal.identity[:1] != (KIND,):
            return False
        had = Rights(principal.policy, principal.publish, principal.history)
        return self._grants.rights(principal.groups) != had


def _only_value(request: Request, header: str) -> str:
    values = request.headers.getall(header, ())
    if len(values) > 1:
        # A proxy replaces what its caller wrote; one that adds to it lets anybody be anybody.
        raise TokenError(f"the header {header} came more than once")
    if not is_text(*values):
        raise TokenError(f"the header {header} is not valid Unicode")
    return "".join(values).strip()
