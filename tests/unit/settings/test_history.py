"""Whose past may be read at all, and how much of it, by what is set."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bridge.access.history_policy import NOTHING
from bridge.access.tokens import Principal
from bridge.settings import command_line
from bridge.settings.derived import Settings
from tests.support import minting
from tests.unit.access.test_history_grants import Request

TOKEN = "a-token-of-this-test"
PROXY = "--trusted-proxies=10.0.0.0/8", "--auth-header=X-User"


def test_by_default_it_is_what_may_be_followed() -> None:
    config = command_line.load([])
    assert config.history_subjects == (">",)
    assert (config.max_replay, config.max_history_streams) == (10000, 64)
    history = config.authentication().of_http(Request()).history
    assert history.may_read("orders.>") and history.may_read(">")
    assert not history.may_read("$KV.b.>")


@pytest.mark.parametrize("nothing", ["", "none", " none ", " "])
def test_none_is_no_history(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HISTORY_SUBJECTS", nothing)
    config = command_line.load([])
    assert config.history_subjects == ()
    assert config.authentication().of_http(Request()).history == NOTHING
    assert config.authentication().of_http(Request()).policy.may_follow("a")


@pytest.mark.parametrize("name", ["allow-subjects", "deny-subjects", "allow-publish"])
def test_none_is_no_pattern_in_other_settings_too(name: str) -> None:
    config = command_line.load([f"--{name}=none"])
    assert getattr(config, name.replace("-", "_")) == ()
    config = command_line.load([f"--{name}=none a"])
    assert getattr(config, name.replace("-", "_")) == ("none", "a"), "a subject like any other"


def principals(folder: Path, arguments: list[str]) -> list[Principal]:
    """Return one of each kind: of a file, of a JWT, of a group, signed in, and anyone."""
    for name, line in (
        ("tokens", {"name": "wall", "token": TOKEN, "history": [">"]}),
        ("groups", {"group": "ops", "history": [">"]}),
    ):
        (folder / name).write_text(json.dumps(line))
    (folder / "key").write_text(minting.key_file("ES256"))
    with_tokens = f"--tokens-file={folder / 'tokens'}", f"--jwt-key={folder / 'key'}"
    groups = f"--auth-groups-file={folder / 'groups'}", "--auth-groups-header=X-Groups"
    ann = Request("ops", "ann")

    def load(*more: str) -> Settings:
        return command_line.load([*arguments, *more])

    tokens = load(*with_tokens).tokens()
    assert tokens is not None
    signed = minting.token(bridge={"history": [">"]})
    return [
        *(tokens.principal(each, time.time()) for each in (TOKEN, signed)),
        load(*PROXY, *groups).authentication().of_http(ann),
        load(*PROXY).authentication().of_http(ann),
        load().authentication().of_http(Request()),
    ]


def test_it_bounds_whoever_comes(tmp_path: Path) -> None:
    found = principals(tmp_path, ["--history-subjects=orders.> logs.*"])
    assert [each.identity[:1] for each in found] == [("token",), ("jwt",), *2 * [("proxy",)], ()]
    for each in found:
        assert each.history.may_read("orders.new") and each.history.may_read("logs.*")
        assert not each.history.may_read("logs.>") and not each.history.may_read("other")
    for each in principals(tmp_path, ["--history-subjects=none"]):
        assert each.history == NOTHING
    for each in principals(tmp_path, ["--allow-subjects=orders.>"]):
        assert each.history.may_read("orders.new") and not each.history.may_read("logs.x")


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("--max-replay=0", "MAX_REPLAY: it has to be a whole number, 1 or more"),
        ("--max-history-streams=0", "MAX_HISTORY_STREAMS: it has to be a whole number, 1 or more"),
        (
            "--history-subjects=a..b",
            "HISTORY_SUBJECTS: 'a..b' is not a valid subject: a token is empty (a dot at an end, "
            "or two in a row)",
        ),
    ],
)
def test_what_makes_no_sense_is_named(
    argument: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        command_line.load([argument])
    assert line in capsys.readouterr().err
