"""How much one connection may ask for and hold, and how it keeps to that."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.publishing.sender import PublishLimits
from bridge.token_bucket import TokenBucket
from bridge.wire.codes import CloseCode


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one connection; bytes, seconds and counts."""

    max_subjects: int = 128
    max_pending_bytes: int = 1048576
    write_timeout: float = 5.0
    requests_per_second: float = 20.0
    request_burst: int = 40
    bad_requests_per_minute: int = 60
    max_request_bytes: int = 65536
    publishing: PublishLimits = field(default_factory=PublishLimits)


class RequestLimiter:
    """Judges the requests of one connection. Times are monotonic, in seconds."""

    __slots__ = ("_bad_requests", "_excess", "_limits", "_requests", "close_code")

    def __init__(self, limits: Limits, now: float) -> None:
        self.close_code: CloseCode | None = None
        """The code to close the connection with, once it has gone too far."""
        self._limits = limits
        self._requests = TokenBucket(limits.requests_per_second, limits.request_burst, now)
        self._excess: TokenBucket | None = None
        """Of requests that come too soon. None, as the next one, while it would be full."""
        self._bad_requests: TokenBucket | None = None

    def allows_request(self, now: float) -> bool:
        """Count a request; False when it comes too soon after the ones before."""
        if self._requests.take(now):
            return True
        if self._excess is None:
            # What keeps coming at three times the rate is a flood.
            rate, burst = self._limits.requests_per_second, self._limits.request_burst
            self._excess = TokenBucket(2 * rate, 2 * burst, now)
        if not self._excess.take(now):
            self.close_code = CloseCode.FLOOD
        return False

    def count_bad_request(self, now: float) -> None:
        """Count a request that made no sense."""
        if self._bad_requests is None:
            bad = self._limits.bad_requests_per_minute
            self._bad_requests = TokenBucket(bad / 60, bad, now)
        if not self._bad_requests.take(now):
            self.close_code = CloseCode.TOO_MANY_BAD_REQUESTS
