"""Requests that make no sense are refused with a sentence, whatever they are."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from bridge.wire import requests
from bridge.wire.responses import Refusal
from tests import fuzz

RANDOM = st.randoms(use_true_random=False)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
KEYS = st.sampled_from(["subjects", "action", "id", "connection_id", "x"])


def is_refused_or_taken(request: str | bytes) -> None:
    """Fail if anything else comes of it, or if the refusal is not a JSON object."""
    try:
        requests.parse_request(request)
    except Refusal as refusal:
        assert json.loads(refusal.line())["success"] is False


@given(RANDOM)
def test_mutated_requests(rng: Random) -> None:
    is_refused_or_taken(fuzz.request(rng))


@given(st.dictionaries(KEYS, TREES))
def test_any_json(request: dict[str, object]) -> None:
    is_refused_or_taken(json.dumps(request))
