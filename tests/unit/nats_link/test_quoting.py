"""Subjects as nats-server, which is written in Go, quotes them in its errors."""

from __future__ import annotations

import re

import pytest

from bridge.nats_link.quoting import QUOTED, unquote


@pytest.mark.parametrize(
    ("quoted", "plain"),
    [
        (r'""', ""),
        (r'"a.b.*.>"', "a.b.*.>"),
        (r'"a\"b\\c"', 'a"b\\c'),
        (r'"\\u200b"', r"\u200b"),
        (r'"\u200b\u2028\ufeff"', "\u200b\u2028\ufeff"),
        (r'"\U000e0001ü😀\U0010ffff"', "\U000e0001ü😀\U0010ffff"),
        (r'"\a\b\f\n\r\t\v\x00\x7f"', "\a\b\f\n\r\t\v\x00\x7f"),
        (r'"\xff\xc3\xbc"', "\ufffdü"),
        (r'"\ud800"', "?"),
    ],
)
def test_what_go_quotes_is_read_exactly(quoted: str, plain: str) -> None:
    assert re.fullmatch(QUOTED, quoted)
    assert unquote(quoted) == plain


def test_a_quoted_string_ends_where_it_ends() -> None:
    found = re.search(QUOTED, r'to "a\"b\\", too many "tokens"')
    assert found is not None
    assert unquote(found[0]) == 'a"b\\'
