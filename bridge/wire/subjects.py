"""The NATS subject grammar: which patterns are valid, what they match, which contain which.

Rules of the NATS documentation ("Subject-Based Messaging"): tokens joined by `.`; `*` stands for
exactly one token, `>` for one or more at the end. Stricter than the server on purpose: what it
would take as an odd literal name (`orders*`) is far more often a typing error, and nothing that
could break its line protocol (white space, control characters) may pass.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest

MAX_SUBJECT_BYTES = 255
CONTROL = "nats_bridge"
"""Gateways talk to each other on subjects that begin with this: nobody else may follow those."""
INBOXES = "_INBOX.nats_bridge"
"""Where they get the answers: nobody else may follow those either."""

WILDCARDS = ("*", ">")

Tokens = tuple[str, ...]

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\s]")


def fault(pattern: str) -> str | None:
    """Say in a few words why `pattern` is not a valid subject or pattern; None if it is."""
    if not pattern:
        return "it is empty"
    try:
        size = len(pattern.encode())
    except UnicodeEncodeError:
        return "it is not valid Unicode"
    if size > MAX_SUBJECT_BYTES:
        return f"it is longer than {MAX_SUBJECT_BYTES} bytes"
    if _FORBIDDEN.search(pattern):
        return "white space and control characters are not allowed"
    tokens = split(pattern)
    if "" in tokens:
        return "a token is empty (a dot at an end, or two in a row)"
    if "*" in pattern or ">" in pattern:
        return _fault_of_wildcards(tokens)
    return None


def _fault_of_wildcards(tokens: Tokens) -> str | None:
    for token in {*tokens} - {"*", ">"}:
        if "*" in token or ">" in token:
            return f"{token!r} mixes a wildcard with other characters: * and > stand alone"
    if ">" in tokens[:-1]:
        return "> is only allowed as the last token"
    return None


@lru_cache(maxsize=1024)
def split(pattern: str) -> tuple[str, ...]:
    """Return the tokens of a subject or pattern; one request asks for the same ones many times."""
    return tuple(pattern.split("."))


def contains(outer: str, inner: str) -> bool:
    """Tell whether `outer` matches `inner`: a subject, or every subject that a pattern matches."""
    return tokens_contain(split(outer), split(inner))


def overlap(one: str, other: str) -> bool:
    """Tell whether some subject matches both patterns."""
    return tokens_overlap(split(one), split(other))


def intersection(one: str, other: str) -> str | None:
    """Return the pattern of the subjects that match both; None if there is none."""
    left, right = split(one), split(other)
    if not tokens_overlap(left, right):
        return None
    # Where one has ended, it has ended with `>`.
    return ".".join(
        theirs if mine == ">" or (mine == "*" and theirs != ">") else mine
        for mine, theirs in zip_longest(left, right, fillvalue=">")
    )


def matches(pattern: str, subject: str) -> bool:
    """Tell whether a message published on `subject`, every token as it stands, comes by `pattern`.

    A publisher may use `a.>` as a plain name; `contains` would take it for all that it matches.
    """
    return tokens_match(split(pattern), split(subject))


def tokens_contain(wide: Tokens, narrow: Tokens) -> bool:
    """Tell what `contains` does of patterns that have been split."""
    for index, token in enumerate(wide):
        if index >= len(narrow):
            return False
        if token == ">":
            return True
        theirs = narrow[index]
        if theirs == ">" or (token != "*" and token != theirs):
            return False
    return len(wide) == len(narrow)


def tokens_overlap(left: Tokens, right: Tokens) -> bool:
    """Tell what `overlap` does of patterns that have been split."""
    for mine, theirs in zip(left, right, strict=False):
        if mine == ">" or theirs == ">":
            return True
        if mine != theirs and mine != "*" and theirs != "*":
            return False
    return len(left) == len(right)


def tokens_match(wanted: Tokens, tokens: Tokens) -> bool:
    """Tell what `matches` does of a pattern and a subject that have been split."""
    for index, want in enumerate(wanted):
        if index >= len(tokens):
            return False
        if want == ">" and index == len(wanted) - 1:
            return True
        if want not in ("*", tokens[index]):
            return False
    return len(wanted) == len(tokens)
