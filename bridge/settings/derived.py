"""The settings of one run, and what the parts of the service are made of them."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network

from bridge.access.addresses import is_loopback
from bridge.access.authentication import Authentication, Operators
from bridge.access.group_grants import GroupGrants
from bridge.access.key_sources import FetchedKeys, KeyFile, is_url
from bridge.access.origins import OriginPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.proxies import TrustedProxies
from bridge.access.proxy_sign_in import ProxySignIn
from bridge.access.publish_policy import PublishPolicy
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Source, Tokens
from bridge.connections.limits import Limits
from bridge.files import SettingError
from bridge.nats_link.embedded import EMBEDDED
from bridge.nats_link.sign_in import SignIn
from bridge.publishing.sender import PublishLimits
from bridge.settings.history_table import HistoryTable
from bridge.web.tls import TLS
from bridge.wire.compression import DEFAULT_LEAST_BYTES
from bridge.wire.patterns import PatternSet

_publish_policy = lru_cache(PublishPolicy.of)


class Settings(HistoryTable):
    """The table with what is given in it. What reads files raises SettingError."""

    @property
    def sign_in(self) -> SignIn:
        """How to sign in to NATS, beside what `nats_url` says."""
        return SignIn(
            user=self.nats_user,
            password=self.nats_password.get_secret_value(),
            token=self.nats_token.get_secret_value(),
            creds=self.nats_creds,
            nkey_seed=self.nats_nkey_seed.get_secret_value(),
            tls_ca=self.nats_tls_ca,
            tls_cert=self.nats_tls_cert,
            tls_key=self.nats_tls_key,
        )

    @property
    def signs_in(self) -> bool:
        """Whether a NATS server is shown who we are."""
        return self.sign_in != SignIn() or any("@" in url for url in self.nats_url)

    @property
    def test_messages(self) -> bool:
        """Whether to publish some: not into a NATS that somebody named, unless they ask for it."""
        asked = self.publish_test_messages
        return not self.nats_url if asked is None else asked

    @property
    def policy(self) -> SubjectPolicy:
        """What may be followed without grants of one's own."""
        return SubjectPolicy(self.allow_subjects, self.deny_subjects)

    @property
    def readable(self) -> PatternSet:
        """Patterns whose past may be read at all."""
        return PatternSet(self.history_subjects)

    def publish_policy(self, nats_kind: str) -> PublishPolicy:
        """Return what may be published at all; `nats_kind` as in NatsWatch."""
        allow = self.allow_publish
        if allow is None:
            # One that is embedded is nobody else's; behind a proxy come other machines.
            is_here = is_loopback(self.http_host) and not self.trusted_proxies
            allow = (">",) if nats_kind == EMBEDDED and is_here else ()
        return _publish_policy(allow, self.deny_publish)

    def fetched_keys(self) -> FetchedKeys | None:
        """Return the keys of JWTs, if JWT_KEY is a URL to fetch them from. Raises SettingError."""
        return FetchedKeys(self.jwt_key, self.jwt_algorithms) if is_url(self.jwt_key) else None

    def tokens(self, fetched: FetchedKeys | None = None) -> Tokens | None:
        """Read the files of tokens and keys; None if there are none. Raises SettingError.

        `fetched`: those of JWTs, if they are not in a file.
        """
        sources: list[Source] = []
        if self.tokens_file:
            sources.append(StaticTokens(self.tokens_file, self.policy, self.readable))
        if self.jwt_key:
            from bridge.access.signed_tokens import SignedTokens  # as in `KeyFile`

            signed = SignedTokens(
                fetched if fetched is not None else KeyFile(self.jwt_key, self.jwt_algorithms),
                self.policy,
                audience=self.jwt_audience,
                issuer=self.jwt_issuer,
                readable=self.readable,
            )
            sources.append(signed)
        elif self.jwt_audience or self.jwt_issuer:
            raise SettingError("JWT_KEY", "it is missing, JWT_AUDIENCE and JWT_ISSUER need it")
        return Tokens(*sources) if sources else None

    def proxy_sign_in(self) -> ProxySignIn | None:
        """Read who signs in at a proxy, and what its groups may follow. Raises SettingError."""
        groups = {"AUTH_GROUPS_HEADER": self.auth_groups_header}
        groups["AUTH_GROUPS_FILE"] = self.auth_groups_file
        given = [name for name, value in groups.items() if value]
        if not self.auth_header:
            if given:
                raise SettingError("AUTH_HEADER", f"it is missing, {given[0]} needs it")
            return None
        if len(given) == 1:
            (missing,) = {*groups} - {*given}
            raise SettingError(missing, f"it is missing, {given[0]} needs it")
        if not self.trusted_proxies:
            raise SettingError("TRUSTED_PROXIES", "it is missing, AUTH_HEADER needs it")
        if any(ip_network(each).prefixlen == 0 for each in self.trusted_proxies):
            raise SettingError(
                "TRUSTED_PROXIES",
                "with AUTH_HEADER it has to name the proxies: whoever is trusted can be anybody",
            )
        file = self.auth_groups_file
        grants = GroupGrants(file, self.policy, self.readable) if given else None
        return ProxySignIn(
            self.auth_header,
            self.proxies,
            self.policy,
            groups_header=self.auth_groups_header,
            grants=grants,
            readable=self.readable,
        )

    def authentication(self, fetched: FetchedKeys | None = None) -> Authentication:
        """Return how those who connect are told apart. Raises SettingError."""
        return Authentication(
            self.policy,
            self.tokens(fetched),
            self.proxy_sign_in(),
            anonymous=self.allow_anonymous,
            readable=self.readable,
        )

    @property
    def least_compressed(self) -> int | None:
        """The least bytes of what is compressed; None if nothing is."""
        if self.compression == "off":
            return None
        return DEFAULT_LEAST_BYTES if self.compression == "on" else int(self.compression)

    @property
    def operators(self) -> Operators:
        """Who may see who is connected."""
        return Operators(self.operator_token.get_secret_value())

    @property
    def origins(self) -> OriginPolicy:
        """Which web pages may connect."""
        return OriginPolicy(self.allowed_origins)

    @property
    def proxies(self) -> TrustedProxies:
        """Whose word on where a request came from counts."""
        return TrustedProxies(self.trusted_proxies)

    @property
    def tls(self) -> TLS:
        """What https and wss are served with."""
        return TLS(self.tls_cert, self.tls_key)

    @property
    def limits(self) -> Limits:
        """The bounds of each connection."""
        return Limits(
            max_subjects=self.max_subjects,
            max_pending_bytes=self.max_pending_bytes,
            write_timeout=self.write_timeout,
            requests_per_second=self.requests_per_second,
            request_burst=self.request_burst,
            bad_requests_per_minute=self.bad_requests_per_minute,
            max_request_bytes=self.max_request_bytes,
            publishing=PublishLimits(
                publishes_per_second=self.publishes_per_second,
                publish_burst=self.publish_burst,
                max_request_timeout=self.max_request_timeout,
            ),
        )
