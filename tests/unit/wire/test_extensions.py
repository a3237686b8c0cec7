"""What is offered in `Sec-WebSocket-Extensions`, and what comes of it (RFC 7692, section 7.1)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.extensions import NAME, agreed

ANSWER = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
FLAGS = ("server_no_context_takeover", "client_no_context_takeover")
SIZES = [str(bits) for bits in range(8, 16)]

Parameter = tuple[str, str | None]

GOOD: st.SearchStrategy[list[Parameter]] = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(FLAGS), st.none()),
        st.tuples(st.just("client_max_window_bits"), st.sampled_from([None, *SIZES])),
        st.tuples(st.just("server_max_window_bits"), st.sampled_from(SIZES[1:])),
    ),
    unique_by=lambda each: each[0],
)
WRONG: st.SearchStrategy[Parameter] = st.one_of(
    st.tuples(st.sampled_from(FLAGS), st.sampled_from(["", "1", "true", "10"])),
    st.tuples(
        st.sampled_from(["client_max_window_bits", "server_max_window_bits"]),
        st.sampled_from(["", "7", "16", "08", "010", "1e1", "+9", "-9", "12.0", "x", "１２"]),
    ),
    st.tuples(st.just("server_max_window_bits"), st.sampled_from([None, "8"])),
    st.tuples(st.sampled_from(["x", "max_window_bits", "SERVER_MAX_WINDOW_BITS"]), st.none()),
)
BAD = st.one_of(
    st.builds(
        lambda good, wrong, at: [*good[:at], wrong, *good[at:]],
        GOOD.map(lambda good: good[:1]),
        WRONG,
        st.integers(0, 1),
    ),
    GOOD.filter(bool).map(lambda good: [*good, good[0]]),  # twice the same
)
OFFERS = st.one_of(
    st.tuples(st.just(NAME), st.one_of(GOOD, BAD)),
    st.tuples(st.sampled_from(["x-webkit-deflate-frame", "permessage-bzip2", "foo"]), GOOD),
)


def is_good(parameters: list[Parameter]) -> bool:
    """Tell by the strategies above: each parameter once, none of those that are wrong."""
    names = [name for name, _ in parameters]
    if len(names) != len(set(names)):
        return False
    allowed: dict[str, list[str | None]] = {
        **{flag: [None] for flag in FLAGS},
        "client_max_window_bits": [None, *SIZES],
        "server_max_window_bits": [*SIZES[1:]],
    }
    return all(value in allowed.get(name, []) for name, value in parameters)


def written(name: str, parameters: list[Parameter], chance: random.Random) -> str:
    """Return an offer as somebody may write it."""

    def space() -> str:
        return chance.choice(["", "", " ", "\t", "  "])

    text = name
    for key, value in parameters:
        text += f"{space()};{space()}{key}"
        if value is not None:
            must = not value or not value.isascii()
            quoted = f'"{value}"' if must or chance.random() < 0.3 else value
            if value and quoted[0] == '"' and chance.random() < 0.3:
                quoted = f'"\\{value[0]}{value[1:]}"'
            text += f"{space()}={space()}{quoted}"
    return f"{space()}{text}{space()}"


@given(st.lists(OFFERS, max_size=5), st.integers(0, 10000))
def test_the_first_offer_that_can_be_kept_to_is_accepted(
    offers: list[tuple[str, list[Parameter]]], seed: int
) -> None:
    chance = random.Random(seed)
    header = ",".join(written(*offer, chance) for offer in offers)
    wanted = next((dict(each) for name, each in offers if name == NAME and is_good(each)), None)
    agreement = agreed(header)
    if wanted is None:
        assert agreement is None
        return
    assert agreement is not None
    most = wanted.get("server_max_window_bits")
    if most is None:
        assert agreement == (12, ANSWER)
    else:
        bits = min(int(most), 12)
        assert agreement == (bits, f"{ANSWER}; server_max_window_bits={bits}")


@pytest.mark.parametrize(
    ("header", "bits"),
    [
        ("permessage-deflate; client_max_window_bits", 12),  # browsers, and ws of Node
        ("permessage-deflate; server_max_window_bits=12; client_max_window_bits=12", 12),
        ("permessage-deflate; server_max_window_bits=8, permessage-deflate", 12),
        ("permessage-deflate; server_max_window_bits=8", None),
        ('foo; a="x, permessage-deflate; y", permessage-deflate;server_max_window_bits=9', 9),
        (",, , permessage-deflate,", 12),
        ("", None),
        ("permessage-deflate; a=b=c", None),
        ("permessage-deflate;", None),
        ('permessage-deflate; server_max_window_bits="9', None),
        ("permessage-deflate, bad;;, permessage-deflate", 12),
        ("bad;;, permessage-deflate", None),
        ("permessage-deflate\r\n", None),
        ("Permessage-Deflate", None),
    ],
)
def test_headers_as_they_come(header: str, bits: int | None) -> None:
    agreement = agreed(header)
    assert (agreement.window_bits if agreement else None) == bits


@given(st.text())
def test_whatever_comes_is_answered_at_once(header: str) -> None:
    agreed(header)
    agreed(f"{NAME}; {header}")


def test_a_long_header_takes_no_longer_than_it_is() -> None:
    for part in (" ", "\t;", '"', "\\", ",", 'a="', f"{NAME};", f"{NAME}; x=", f"{NAME}, "):
        agreed(f"{NAME}; x=" + part * (1_000_000 // len(part)))
