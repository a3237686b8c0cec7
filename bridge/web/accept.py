"""What a request asks for in `Accept` and `Accept-Encoding` (RFC 9110, section 12.5)."""

from __future__ import annotations

from collections.abc import Sequence


def best_of(offers: Sequence[str], accept: str) -> str | None:
    """Return the media type that is asked for most of those that can be had; None if none is.

    Of two that are asked for alike it is the one that is named more exactly, then the first.
    """
    ranges = [_range(each) for each in accept.split(",") if each.strip()]
    if not ranges:
        return offers[0]
    ranked = [(*_wish(offer, ranges), -place) for place, offer in enumerate(offers)]
    wish, _, place = max(ranked)
    return offers[-place] if wish > 0 else None


def takes_gzip(accepted: str) -> bool:
    """Tell whether who sends this `Accept-Encoding` takes gzip, which has to be named there."""
    weights = dict(_range(each) for each in accepted.split(","))
    return weights.get("gzip", 0.0) > 0


def _range(text: str) -> tuple[str, float]:
    """Return a media range, or a coding, and its weight. One that is no number does not count."""
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, min(float(weight), 1.0)
    except ValueError:
        return name, 0.0


def _wish(offer: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Return how much `offer` is asked for, and how exactly: the most exact range counts."""
    kind = offer.partition("/")[0]
    for exactness, name in ((2, offer), (1, f"{kind}/*"), (0, "*/*")):
        weights = [weight for each, weight in ranges if each == name]
        if weights:
            return max(weights), exactness
    return 0.0, 0
