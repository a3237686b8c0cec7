"""Which stream a pattern is of: how often that is asked."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.history import asked, streams
from bridge.history.errors import HistoryError, NoHistoryError, NoJetStreamError, NotPermittedError
from bridge.history.streams import Streams


class Refusing:
    """A JetStream that answers everybody the same."""

    def __init__(self, error: HistoryError) -> None:
        self.asked = 0
        self._error = error

    async def ask(self, what: str, body: Any = None, seconds: float = 1) -> dict[str, Any]:
        self.asked += 1
        raise self._error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoJetStreamError("nobody answers"), "no_jetstream"),
        (NotPermittedError("$JS.API.STREAM.NAMES"), "not_permitted"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_holds_for_every_pattern_is_asked_once_in_a_while(
    error: HistoryError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    js: Any = Refusing(error)
    it = Streams(js)
    for number in range(100):
        with pytest.raises(NoHistoryError) as refused:
            await it.find(f"a.{number}")
        assert refused.value.reason == reason
    assert js.asked == 1
    monkeypatch.setattr(asked, "KEPT_SECONDS", -1)
    monkeypatch.setattr(streams, "KEPT_SECONDS", -1)
    with pytest.raises(NoHistoryError):
        await it.find("a.0")
    assert js.asked == 2
