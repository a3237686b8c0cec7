"""`.env` as people write it, and what stands in it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bridge.settings import command_line
from bridge.settings.derived import Settings


def loaded(text: str | bytes) -> Settings:
    Path(".env").write_bytes(text if isinstance(text, bytes) else text.encode())
    return command_line.load([])


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ab$cd", "ab$cd"),
        ("ab${x}cd", "ab${x}cd"),
        ("$HOME", "$HOME"),
        ("${HOME}", "${HOME}"),
        ("a$$b", "a$$b"),
        ("${HOME:-planted}", "${HOME:-planted}"),
        ("'ab$cd${HOME}'", "ab$cd${HOME}"),
        ('"ab$cd${HOME}"', "ab$cd${HOME}"),
    ],
)
def test_a_dollar_stands_for_itself(written: str, meant: str) -> None:
    settings = loaded(f"NATS_USER=ann\nNATS_PASSWORD={written}\n")
    assert settings.nats_password.get_secret_value() == meant
    assert settings.nats_user == "ann"


def test_reserved_subjects_are_allowed_by_name_without_quotes() -> None:
    assert loaded("ALLOW_SUBJECTS=$KV.config.>,$JS.EVENT.>\n").allow_subjects == (
        *("$KV.config.>", "$JS.EVENT.>"),
    )


@pytest.mark.parametrize(
    "text",
    [
        'MAX_SUBJECTS="7"\n',
        "MAX_SUBJECTS='7'\n",
        "export MAX_SUBJECTS=7\n",
        "MAX_SUBJECTS=7\r\nLOG_LEVEL=info\r\n",
        "\ufeffMAX_SUBJECTS=7\n",
        "MAX_SUBJECTS=7 # seven\n",
        "MAX_SUBJECTS = 7\n",
        "max_subjects=7\n",
        "MAX_SUBJECTS=7",
        "MAX_SUBJECTS=3\nMAX_SUBJECTS=7\n",
        "# ours\n\nMAX_SUBJECTS=7\nOPERATOR_TOKEN=\nALLOWED_ORIGINS=\nNATS_TOKEN=\nNATS_CREDS\n",
        "OTHER=x\nSOME.THING=y\nMAX_SUBJECTS=7\n",
    ],
)
def test_lines_count_in_every_usual_form(text: str) -> None:
    assert loaded(text).max_subjects == 7


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_SUBJECTS", "9")
    assert loaded("MAX_SUBJECTS=7\nREQUEST_BURST=7\n").max_subjects == 9
    assert loaded("MAX_SUBJECTS=7\nREQUEST_BURST=7\n").request_burst == 7


def test_a_folder_of_that_name_is_no_file() -> None:
    """Docker makes one where a file that is to be mounted is missing."""
    Path(".env").mkdir()
    assert command_line.load([]).max_subjects == 128


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"MAX_SUBJECTS=7\n# gr\xfc\xdfe\n", ".env: it is not text in UTF-8"),
        ("MAX_SUBJECTS=7\n".encode("utf-16"), ".env: it is not text in UTF-8"),
        (b"MAX_CONNECTIONS=\n", "MAX_CONNECTIONS: it has to be a whole number, 1 or more"),
        (b"ALLOW_ANONYMOUS=\n", "ALLOW_ANONYMOUS: it has to be true or false"),
    ],
)
def test_what_cannot_be_read_is_named(
    text: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        loaded(text)
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".env").touch(mode=0)
    with pytest.raises(SystemExit):
        command_line.load([])
    assert capsys.readouterr().err.startswith(".ENV: the file .env cannot be read: ")


def test_the_log_format_counts_where_another_line_is_wrong(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        loaded("LOG_FORMAT=json\nHTTP_PORT=x\n")
    line = json.loads(capfd.readouterr().out)
    assert (line["event"], line["message"].partition(":")[0]) == ("start_failed", "HTTP_PORT")


@pytest.mark.parametrize("written", [".config.>", ".>", "a.b .config.>"])
@pytest.mark.parametrize("name", ["ALLOW_SUBJECTS", "DENY_SUBJECTS"])
def test_a_pattern_that_has_lost_its_dollar_is_answered_with_how_to_keep_it(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell and Compose make `.config.>` of `$KV.config.>`."""
    monkeypatch.setenv(name, written)
    with pytest.raises(SystemExit):
        command_line.load([])
    line = capsys.readouterr().err
    assert line.startswith(f"{name}: ") and "began with a $" in line and "write $$" in line
