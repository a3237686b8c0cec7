"""Settings: one table, read from flags, environment, `.env` and `/run/secrets`, in this order."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bridge.access.addresses import is_loopback
from bridge.access.policy import RESERVED
from bridge.connections.limits import Limits
from bridge.settings.dot_env import DotEnv
from bridge.settings.secret_files import SecretFiles
from bridge.settings.value_types import (
    Algorithms,
    Ancestors,
    CompressionChoice,
    HeaderName,
    HostName,
    LogFormat,
    LogLevel,
    NatsUrls,
    OperatorToken,
    Origins,
    Patterns,
    Proxies,
    Words,
    Workers,
)
from bridge.wire.compression import DEFAULT_LEAST_BYTES

SECRETS = Path("/run/secrets")

_LIMITS = Limits()


class Table(BaseSettings):
    """A gateway between NATS and browsers. Each setting is a flag (--http-port 8080), an
    environment variable or a line of .env (HTTP_PORT=8080), or a file in /run/secrets; the first of
    these that has it counts. Lists are separated by commas or white space."""

    model_config = SettingsConfigDict(
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    nats_url: NatsUrls = Field(
        (),
        description="one or more NATS servers; without it the one on 127.0.0.1:4222, and if none "
        "answers there, an embedded one",
    )
    nats_context: str = Field(
        "",
        description="name of a context of the nats command, which says where NATS is and how to "
        "sign in",
    )
    nats_user: str = Field("", description="user to sign in to NATS as")
    nats_password: SecretStr = Field(SecretStr(""), description="the user's password")
    nats_token: SecretStr = Field(SecretStr(""), description="token to sign in with")
    nats_creds: str = Field(
        "",
        description="path of a creds file to sign in with (a JWT, and its seed unless it is a "
        "bearer)",
    )
    nats_nkey_seed: SecretStr = Field(
        SecretStr(""), description="seed of an nkey to sign in with (SU…), or the path of its file"
    )
    nats_tls_ca: str = Field(
        "", description="path of the CA that NATS servers have to be certified by, in PEM"
    )
    nats_tls_cert: str = Field("", description="path of a client certificate for NATS, in PEM")
    nats_tls_key: str = Field("", description="path of the private key of that certificate, in PEM")
    http_host: HostName = Field(
        "127.0.0.1",
        description="address where the page and the WebSocket are, or a name for it; 0.0.0.0 is "
        "every address of IPv4, :: every one",
    )
    http_port: int = Field(5001, ge=1, le=65535, description="their port")
    metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="a port for /metrics, /connections, /livez and /readyz; the first two are then "
        "not at HTTP_PORT. 0 for none",
    )
    tls_cert: str = Field(
        "", description="path of a certificate to serve https and wss with, in PEM"
    )
    tls_key: str = Field("", description="path of the private key of that certificate, in PEM")
    publish_test_messages: bool | None = Field(
        None,
        description="publish a test message to test.subject each second; without this setting only "
        "if NATS_URL is not set",
    )
    workers: Workers = Field(
        1,
        description="processes that share the port, auto: one for each core there is to use; "
        "limits of connections are for each of them",
    )
    compression: CompressionChoice = Field(
        "on",
        description="compress what those get who offer it, WebSockets and responses that go on: "
        f"on, off, or the least bytes of what is compressed; on is {DEFAULT_LEAST_BYTES}",
    )
    allowed_origins: Origins = Field(
        (),
        description="origins of other web pages that may connect, such as https://example.com, "
        "https://*.example.com or capacitor://localhost",
    )
    frame_ancestors: Ancestors = Field(
        (), description="origins of web pages that may show the page in a frame; self for its own"
    )
    tokens_file: str = Field(
        "", description="path of a file that lists tokens, one a line; a connection then needs one"
    )
    jwt_key: str = Field(
        "",
        description="path of the key that JWTs are signed with: public keys in PEM, a JWKS, or a "
        "secret for HS256; or the https:// URL of a JWKS; a connection then needs a token",
    )
    jwt_algorithms: Algorithms = Field(
        ("RS256", "ES256", "EdDSA"),
        description="algorithms that count, whatever a token says; HS256 has to be named",
    )
    jwt_audience: Words = Field((), description="audiences, one of which a JWT has to be for")
    jwt_issuer: str = Field("", description="issuer that a JWT has to be from")
    auth_header: HeaderName = Field(
        "",
        description="header in which a reverse proxy says who is signed in there, such as "
        "X-Forwarded-User; a connection then needs it, or a token",
    )
    auth_groups_header: HeaderName = Field(
        "", description="header in which it says the groups of whom, separated by commas"
    )
    auth_groups_file: str = Field(
        "", description="path of a file that says what each group may follow, one a line"
    )
    operator_token: OperatorToken = Field(
        SecretStr(""), description="token for GET /connections; without one nobody may see that"
    )
    trusted_proxies: Proxies = Field(
        (),
        description="addresses or networks of reverse proxies whose Forwarded or X-Forwarded-For, "
        "-Proto, -Host and -Port count, and the header of the PROXY protocol",
    )
    allow_anonymous: bool = Field(
        False,
        validate_default=True,
        description="serve other machines than this one without a token, to anyone who can reach "
        "the port; where tokens are set up, those without one too",
    )
    allow_subjects: Patterns = Field(
        (">",), description="patterns that may be followed where a token has no grants of its own"
    )
    deny_subjects: Patterns = Field(
        (),
        description="patterns that may not be followed, nor delivered; and none of "
        f"{', '.join(RESERVED)} unless it is allowed by name",
    )
    max_connections: int = Field(10000, ge=1, description="connections at a time")
    max_connections_per_address: int = Field(
        1000,
        ge=1,
        description="connections from one address (of IPv6, one /64 network) at a time; so many a "
        "minute may be opened, three times as many at once",
    )
    request_timeout: float = Field(
        15.0, gt=0, description="seconds for an HTTP request to come in, head and body each"
    )
    keepalive_timeout: float = Field(
        150.0,
        gt=0,
        description="seconds that an HTTP connection stays open without a request; more than a "
        "proxy keeps it",
    )
    token_timeout: float = Field(
        5.0, gt=0, description="seconds for the token to come in the first frame"
    )
    max_subjects: int = Field(
        _LIMITS.max_subjects, ge=1, description="patterns a connection may follow"
    )
    max_pending_bytes: int = Field(
        _LIMITS.max_pending_bytes,
        ge=1024,
        description="bytes held for a connection before messages for it are dropped",
    )
    write_timeout: float = Field(
        _LIMITS.write_timeout,
        gt=0,
        description="seconds after which a connection that takes nothing is closed, also in the "
        "middle of a response by HTTP",
    )
    requests_per_second: float = Field(
        _LIMITS.requests_per_second, gt=0, description="requests a connection may send"
    )
    request_burst: int = Field(
        _LIMITS.request_burst, ge=1, description="requests it may send at once"
    )
    bad_requests_per_minute: int = Field(
        _LIMITS.bad_requests_per_minute,
        ge=1,
        description="requests that make no sense before a connection is closed",
    )
    max_request_bytes: int = Field(
        _LIMITS.max_request_bytes,
        ge=1024,
        description="bytes of a request: of a frame, or of the body of a POST",
    )
    log_level: LogLevel = Field("info", description="debug, info, warning or error")
    log_format: LogFormat = Field(
        "", description="text or json; without it text on a terminal, else JSON"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where settings come from; flags come first, as `init_settings`."""
        secret_files = SecretFiles(settings_cls, SECRETS)
        return init_settings, env_settings, DotEnv(settings_cls), secret_files

    @field_validator("metrics_port")
    @classmethod
    def _not_the_same_port(cls, port: int, info: ValidationInfo) -> int:
        if port == info.data.get("http_port"):
            raise ValueError("it is HTTP_PORT already; choose another one, or 0 for none")
        return port

    @field_validator("allow_anonymous")
    @classmethod
    def _not_open_by_accident(cls, anonymous: bool, info: ValidationInfo) -> bool:
        host = info.data.get("http_host", "")
        has_tokens = any(info.data.get(it) for it in ("tokens_file", "jwt_key", "auth_header"))
        if not (anonymous or has_tokens or is_loopback(host)):
            raise ValueError(
                f"HTTP_HOST={host} lets other machines in, and anyone on them may read every "
                "subject that is allowed: set TOKENS_FILE or JWT_KEY, or ALLOW_ANONYMOUS=true if "
                "that is meant"
            )
        return anonymous
