"""Who may connect, and which subjects they may follow."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from bridge.wire import subjects

RESERVED = ("$SYS.>", "$JS.>", "$KV.>", "$O.>", "_INBOX.>", "panini_events.>")
"""Denied unless granted by name: by a grant that lies within one of these, as `$JS.API.>` does."""
CONTROL = "nats_bridge"
"""Gateways talk to each other on subjects that begin with this: denied, whatever is granted."""
INBOXES = "_INBOX.nats_bridge"
"""Where they get the answers: denied as well."""

_CACHE_SIZE = 10000
_DEFAULT_PORTS = {"http": 80, "https": 443}


class SubjectPolicy:
    """Which patterns may be followed, and which subjects under them are delivered; deny wins.

    Two with the same grants and denials are equal, so that connections can share what they get.
    """

    def __init__(self, allow: Iterable[str] = (">",), deny: Iterable[str] = ()) -> None:
        self.allow = tuple(allow)
        self.deny = tuple(deny)
        self._denied = (*self.deny, f"{CONTROL}.>", f"{INBOXES}.>")
        self._by_name = tuple(each for each in self.allow if _is_within(each, RESERVED))
        self._hash = hash((self.allow, self.deny))
        self._decided: dict[str, bool] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SubjectPolicy):
            return NotImplemented
        return (self.allow, self.deny) == (other.allow, other.deny)

    def __hash__(self) -> int:
        return self._hash

    def may_follow(self, pattern: str) -> bool:
        """Tell whether `pattern` lies wholly within a grant and not wholly in a denial."""
        grants = self._by_name if _is_within(pattern, RESERVED) else self.allow
        return _is_within(pattern, grants) and not _is_within(pattern, self._denied)

    def may_receive(self, subject: str) -> bool:
        """Tell whether a message on `subject` may be delivered; remembered for 10,000 subjects."""
        decision = self._decided.get(subject)
        if decision is None:
            if len(self._decided) >= _CACHE_SIZE:
                self._decided.clear()
            decision = self._decided[subject] = self._decide(subject)
        return decision

    def _decide(self, subject: str) -> bool:
        # By overlap: a publisher may use `a.>` as a plain name, which a denial of `a.*` matches.
        def hits(pattern: str) -> bool:
            return subjects.overlap(pattern, subject)

        grants = self._by_name if any(map(hits, RESERVED)) else self.allow
        return _is_within(subject, grants) and not any(map(hits, self._denied))


def _is_within(pattern: str, outer: Iterable[str]) -> bool:
    return any(subjects.contains(each, pattern) for each in outer)


class OriginPolicy:
    """Which web pages may connect. A request without `Origin` comes from no browser and passes."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = {normal_origin(origin) for origin in allowed}

    def allows(self, origin: str | None, scheme: str, host: str) -> bool:
        """Compare `origin` (RFC 6454: scheme, host, port) with our own and with the allowed ones.

        `scheme` and `host` are those of the request, its `Host` header for the latter. A public
        name is our own only if it is allowed by name: anyone can point one at our address (DNS
        rebinding), and the `Host` of such a page is as false as its origin.
        """
        if origin is None:
            return True
        asked = normal_origin(origin)
        if asked is None:
            return False
        ours = asked == normal_origin(f"{scheme}://{host}") and not _is_public_name(asked[1])
        return ours or asked in self._allowed


def normal_origin(origin: str) -> tuple[str, str, int] | None:
    """Return (scheme, host, port) with the scheme's default port filled in; None if it is none."""
    try:
        parts = urlsplit(origin.strip())
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    if not parts.hostname or parts.path or parts.query or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port


def _is_public_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." in host and not host.endswith(".localhost")
    return False


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a server that listens on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
