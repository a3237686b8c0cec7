"""The settings of one run, and what the parts of the service are made of them."""

from __future__ import annotations

from bridge.access.authentication import Authentication, Operators
from bridge.access.origins import OriginPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.proxies import TrustedProxies
from bridge.access.signed_tokens import SignedTokens
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Source, Tokens
from bridge.connections.limits import Limits
from bridge.files import SettingError
from bridge.nats_link.sign_in import SignIn
from bridge.settings.table import Table
from bridge.web.tls import TLS


class Settings(Table):
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
    def policy(self) -> SubjectPolicy:
        """What may be followed without grants of one's own."""
        return SubjectPolicy(self.allow_subjects, self.deny_subjects)

    def tokens(self) -> Tokens | None:
        """Read the files of tokens and keys; None if there are none. Raises SettingError."""
        sources: list[Source] = []
        if self.tokens_file:
            sources.append(StaticTokens(self.tokens_file, self.policy))
        if self.jwt_key:
            signed = SignedTokens(
                self.jwt_key,
                self.jwt_algorithms,
                self.policy,
                audience=self.jwt_audience,
                issuer=self.jwt_issuer,
            )
            sources.append(signed)
        elif self.jwt_audience or self.jwt_issuer:
            raise SettingError("JWT_KEY", "it is missing, JWT_AUDIENCE and JWT_ISSUER need it")
        return Tokens(*sources) if sources else None

    @property
    def authentication(self) -> Authentication:
        """How those who connect are told apart. Raises SettingError."""
        return Authentication(self.policy, self.tokens(), anonymous=self.allow_anonymous)

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
        )
