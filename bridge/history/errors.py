"""What can be wrong with a request to JetStream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

NO_MESSAGE = 10037
NO_STREAM = 10059
NOT_ENABLED = (10039, 10076)
"""JetStream is off for this account, or altogether."""
TOO_MANY_CONSUMERS = 10026
FILTERS_OVERLAP = 10138
BUSY = (10008, 10004, 10023)
"""No leader at the moment, or not enough resources just now: worth another try."""


class HistoryError(Exception):
    """Something that was asked of JetStream was not done."""


class ApiError(HistoryError):
    """JetStream answered with an error."""

    def __init__(self, number: int, description: str) -> None:
        super().__init__(f"{description} ({number})")
        self.number = number
        """JetStream's `err_code`."""


class NoJetStreamError(HistoryError):
    """Nobody answers: JetStream is off, or the stream does not serve direct gets."""


class TooManySubjectsError(HistoryError):
    """More subjects match than a direct get of their latest messages answers."""


class NotPermittedError(HistoryError):
    """NATS does not let the gateway publish on a subject, or subscribe to it."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"NATS does not allow the gateway to use {subject!r}")
        self.subject = subject


class UnansweredError(HistoryError):
    """No answer in time, or NATS is away: worth another try."""


Reason = Literal[
    "off",
    "no_jetstream",
    "not_permitted",
    "no_stream",
    "partly",
    "several_streams",
    "retention",
    "too_many_streams",
]
"""Why a pattern has no history."""


class NoHistoryError(HistoryError):
    """A pattern whose past cannot be read. The text is the rest of a sentence, for people."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


def is_passing(error: HistoryError) -> bool:
    """Tell whether the same request may be answered later."""
    return isinstance(error, UnansweredError) or (
        isinstance(error, ApiError) and error.number in BUSY
    )


@contextmanager
def no_history() -> Iterator[None]:
    """Have an error say what it means for whoever wants to read the past: raise NoHistoryError."""
    try:
        yield
    except NotPermittedError as error:
        raise NoHistoryError("not_permitted", str(error)) from None
    except NoJetStreamError:
        raise NoHistoryError("no_jetstream", "NATS has no JetStream here") from None
    except ApiError as error:
        raise _meaning_of(error) from None


def _meaning_of(error: ApiError) -> Exception:
    if error.number in NOT_ENABLED:
        return NoHistoryError("no_jetstream", "JetStream is not enabled for this account")
    if error.number == NO_STREAM:
        return NoHistoryError("no_stream", "there is no such stream")
    return UnansweredError(str(error))
