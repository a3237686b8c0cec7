"""What `Accept` asks for most, and whether `Accept-Encoding` asks for gzip."""

from __future__ import annotations

import pytest

from bridge.web.accept import best_of, takes_gzip

OFFERS = ["application/x-ndjson", "application/json", "text/event-stream", "text/html"]
CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        ("", "application/x-ndjson"),
        ("*/*", "application/x-ndjson"),
        ("application/*", "application/x-ndjson"),
        ("text/*", "text/event-stream"),
        ("application/json", "application/json"),
        ("Text/Event-Stream", "text/event-stream"),
        ("text/event-stream; charset=utf-8", "text/event-stream"),
        ("text/event-stream, */*", "text/event-stream"),
        ("*/*;q=0.1, text/event-stream;q=0.2", "text/event-stream"),
        ("text/event-stream;q=0.1, application/json;q=0.2", "application/json"),
        ("text/event-stream;q=0, */*", "application/x-ndjson"),
        ("text/*;q=0, text/event-stream", "text/event-stream"),
        ("text/html", "text/html"),
        (CHROMIUM, "text/html"),
        ("text/html;q=0.5, */*", "application/x-ndjson"),
        ("image/png", None),
        ("*/*;q=0", None),
        ("*/*;q=x", None),
        ("*/*;q=-1", None),
        ("*/*;q=nan", None),
        (",;,", None),
    ],
)
def test_the_best_of_those_that_can_be_had(accept: str, best: str | None) -> None:
    assert best_of(OFFERS, accept) == best


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip, deflate, br", True),
        ("br,gzip ; q=0.001", True),
        ("", False),
        ("br", False),
        ("*", False),
        ("gzip;q=0", False),
        ("gzip; q=0.0, br", False),
        ("gzip;q=0, *", False),
        ("gzip;q=x", False),
        ("x-gzip", False),
    ],
)
def test_who_takes_gzip(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) == takes
