"""Settings as a person gives them: flags, help, and what a mistake is answered with."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import __version__
from bridge.settings import command_line, misspelt
from bridge.settings.derived import Settings
from bridge.settings.flags import GROUPS
from tests.support.servers import ROOT

COMPRESSION = "it has to be on, off, or the least bytes of what is compressed"
WORKERS = "it has to be a whole number from 1 to 64, or auto"
PORT = "it has to be a whole number from 1 to 65535"
LIST = "--help lists every setting"


def line_of(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that a start with `arguments` fails with."""
    with pytest.raises(SystemExit) as ended:
        command_line.load(arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "planted" not in line
    return line


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HTTP_PORT", "abc", PORT),
        ("HTTP_PORT", "0", PORT),
        ("HTTP_PORT", "", PORT),
        ("HTTP_PORT", "80.5", PORT),
        ("HTTP_PORT", "9" * 5000, PORT),
        ("MAX_SUBJECTS", "planted", "it has to be a whole number, 1 or more"),
        ("MAX_REQUEST_BYTES", "100", "it has to be a whole number, 1024 or more"),
        ("REQUEST_TIMEOUT", "5s", "it has to be a number above 0"),
        ("REQUEST_TIMEOUT", "nan", "it has to be a number above 0"),
        ("ALLOW_ANONYMOUS", "perhaps", "it has to be true or false"),
        ("TRUSTED_PROXIES", "nginx", "'nginx' is no address, nor a network such as 10.0.0.0/8"),
        (
            "TRUSTED_PROXIES",
            "::1 10.0.0.1/8",
            "'10.0.0.1/8' is no address, nor a network such as 10.0.0.0/8",
        ),
        ("LOG_LEVEL", "verbose", "it has to be debug, info, warning or error"),
        ("COMPRESSION", "gzip", COMPRESSION),
        ("COMPRESSION", "", COMPRESSION),
        ("COMPRESSION", "0", COMPRESSION),
        ("COMPRESSION", "9" * 5000, COMPRESSION),
        ("WORKERS", "many", WORKERS),
        ("WORKERS", "0", WORKERS),
        ("WORKERS", "65", WORKERS),
        ("WORKERS", "9" * 5000, WORKERS),
    ],
)
def test_a_wrong_value_is_answered_with_what_is_right(
    name: str,
    value: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    assert line_of([], capsys) == f"{name}: {sentence}"


@pytest.mark.parametrize(
    ("value", "least"),
    [
        ("on", 200),
        (" ON ", 200),
        ("true", 200),
        ("off", None),
        ("False", None),
        ("1", 1),
        ("64", 64),
    ],
)
def test_compression_is_on_off_or_a_number(
    value: str, least: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command_line.load([]).least_compressed == 200
    assert command_line.load(["--compression", value]).least_compressed == least
    monkeypatch.setenv("COMPRESSION", value)
    assert command_line.load([]).least_compressed == least


@pytest.mark.parametrize("name", Settings.model_fields)
def test_no_setting_is_answered_in_words_of_a_library(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name.upper(), " . :planted")
    try:
        command_line.load([])
    except SystemExit:
        (line,) = capsys.readouterr().err.splitlines()
        assert re.match("[A-Z_]+: ", line)
        for word in ("Input", "should be", "unable", "type="):
            assert word not in line


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--http-prot", "80"], f"--http-prot is not a flag: did you mean --http-port? {LIST}"),
        (["--port=80"], f"--port is not a flag: did you mean --http-port? {LIST}"),
        (["--HTTP_PORT=80"], f"--HTTP_PORT is not a flag: did you mean --http-port? {LIST}"),
        (["HTTP_PORT=80"], f"HTTP_PORT is not a flag: did you mean --http-port? {LIST}"),
        (
            ["--nats-pasword", "planted"],
            f"--nats-pasword is not a flag: did you mean --nats-password? {LIST}",
        ),
        (
            ["--nats-tokens=planted and planted"],
            f"--nats-tokens is not a flag: did you mean --nats-token? {LIST}",
        ),
        (["--quux"], f"--quux is not a flag; {LIST}"),
        (["planted"], f"settings are given as in --http-port 8080; {LIST}"),
        (["PLANTED_planted=planted"], f"settings are given as in --http-port 8080; {LIST}"),
        (["-p", "80"], f"settings are given as in --http-port 8080; {LIST}"),
        (["--http-port"], "--http-port: its value is missing"),
        (["--nats-password", "--planted"], "--nats-password: its value is missing"),
        (["--no-allow-anonymous=planted"], "--no-allow-anonymous: it takes no value"),
        (["--allow-anonymous=planted"], "ALLOW_ANONYMOUS: it has to be true or false"),
    ],
)
def test_a_wrong_flag_is_answered_with_the_right_one(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line_of(arguments, capsys) == line


@pytest.mark.parametrize(
    ("arguments", "published"),
    [
        ([], None),
        (["--publish-test-messages"], True),
        (["--publish-test-messages", "false"], False),
        (["--publish-test-messages=no"], False),
        (["--no-publish-test-messages"], False),
    ],
)
def test_yes_and_no_can_be_said_in_each_usual_way(
    arguments: list[str], published: bool | None
) -> None:
    loaded = command_line.load([*arguments, "--http-port=8080"])
    assert (loaded.publish_test_messages, loaded.http_port) == (published, 8080)


@pytest.mark.parametrize(
    ("arguments", "published"),
    [
        ([], True),
        (["--nats-user=a", "--nats-password=b"], True),
        (["--nats-url=h"], False),
        (["--nats-url=nats://127.0.0.1:4222"], False),
        (["--nats-url=h", "--publish-test-messages"], True),
        (["--no-publish-test-messages"], False),
    ],
)
def test_nothing_is_published_into_a_nats_that_is_named_unless_somebody_asks_for_it(
    arguments: list[str], published: bool
) -> None:
    assert command_line.load(arguments).test_messages is published


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--allowed-origins=null"], "ALLOWED_ORIGINS: 'null' is what any page has"),
        (
            ["--allowed-origins=https://*"],
            "ALLOWED_ORIGINS: 'https://*' is too wide, or no pattern",
        ),
        (["--allowed-origins=https://me:planted@a.b/"], "ALLOWED_ORIGINS: 'https://…@a.b/' is not"),
        (["--frame-ancestors=*"], "FRAME_ANCESTORS: '*' is too wide, or no pattern"),
        (["--frame-ancestors=self none"], "FRAME_ANCESTORS: 'none' is not an origin"),
        (["--frame-ancestors=https://a.b;script-src"], "FRAME_ANCESTORS: "),
        (["--metrics-port=5001"], "METRICS_PORT: it is HTTP_PORT already"),
        (["--metrics-port=70000"], "METRICS_PORT: it has to be a whole number from 0 to 65535"),
        (["--keepalive-timeout=0"], "KEEPALIVE_TIMEOUT: it has to be a number above 0"),
    ],
)
def test_pages_and_ports_that_cannot_be_are_refused_with_a_sentence(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line_of(arguments, capsys).startswith(line)


@pytest.mark.parametrize(
    ("given", "ancestors"),
    [
        ("", ()),
        ("none", ()),
        ("'none'", ()),
        ("self", ("self",)),
        ("'self', https://ha.example", ("self", "https://ha.example")),
        ("https://*.example.com", ("https://*.example.com",)),
    ],
)
def test_pages_that_may_frame_ours_are_given_with_or_without_quotes(
    given: str, ancestors: tuple[str, ...]
) -> None:
    assert command_line.load([f"--frame-ancestors={given}"]).frame_ancestors == ancestors


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("HTTP_PROT", "HTTP_PORT"),
        ("http_prot", "HTTP_PORT"),
        ("TOKEN_FILE", "TOKENS_FILE"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("JWT_ALGORITHM", "JWT_ALGORITHMS"),
        ("NATS_PASSWROD", "NATS_PASSWORD"),
        ("NATS_URLS", "NATS_URL"),
        ("HTTP_PORT", None),
        ("http_port", None),
        # What others have for themselves: Docker Compose, proxies, Kubernetes, the nats command.
        *((name, None) for name in ("PAGE_PORT", "NATS_PORT", "HTTP_PROXY", "HTTPS_PORT")),
        *((name, None) for name in ("NATS_SERVICE_HOST", "NATS_PORT_4222_TCP", "NATS_CONTEXT")),
        *((name, None) for name in ("NATS_CERT", "NATS_KEY", "NATS_CA", "NATS_NKEY", "LOGLEVEL")),
        *((name, None) for name in ("SSL_CERT_FILE", "PATH", "HOME", "TERM", "PORT", "HOST")),
    ],
)
def test_a_misspelt_name_is_told_and_others_are_left_alone(name: str, meant: str | None) -> None:
    told = misspelt.sentences(Settings.model_fields, {".env": [name]})
    right = [f"{name} in .env is not a setting: did you mean {meant}?"] if meant else []
    assert told == right


def test_no_setting_is_taken_for_another() -> None:
    names = [name.upper() for name in Settings.model_fields]
    assert misspelt.sentences(Settings.model_fields, {"the environment": names}) == []


def test_a_misspelt_name_is_a_warning_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".env").write_text("# ours\nHTTP_PROT=8080\nexport PAGE_PORT='1'\n")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "nats_pasword").write_text("planted")
    monkeypatch.setenv("TOKEN_FILE", "planted")
    assert command_line.load([]).http_port == 5001
    command_line.warn_of_what_is_not_used(command_line.load([]))
    assert sorted(record.getMessage() for record in caplog.records) == [
        "HTTP_PROT in .env is not a setting: did you mean HTTP_PORT?",
        "TOKEN_FILE in the environment is not a setting: did you mean TOKENS_FILE?",
        f"nats_pasword in {tmp_path}/secrets is not a setting: did you mean NATS_PASSWORD?",
    ]


def test_what_is_missing_may_be_there_under_a_misspelt_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOKEN_FILE", "planted")
    line = line_of(["--http-host=0.0.0.0"], capsys)
    assert line.startswith("ALLOW_ANONYMOUS: HTTP_HOST=0.0.0.0 lets other machines in")
    assert line.endswith(
        "; TOKEN_FILE in the environment is not a setting: did you mean TOKENS_FILE?"
    )


def test_env_that_is_no_text_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".env").write_bytes(b"NATS_PASSWORD=\xe9planted\n")
    assert line_of([], capsys) == ".env: it is not text in UTF-8"


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_lists_every_setting_with_default_and_meaning(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NATS_PASSWORD", "planted")
    with pytest.raises(SystemExit) as ended:
        command_line.load(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "planted" not in text
    whole = " ".join(text.split())
    for name, field in Settings.model_fields.items():
        assert f"{name.replace('_', '-')}, {name.upper()} (default: " in text
        assert field.description and field.description in whole
    for word in ("tuple", "Secret", "str", "[]", "()", "**"):
        assert f" {word} " not in whole and f" {word})" not in whole
    assert [line for line in text.splitlines() if line in GROUPS.values()] == [*GROUPS.values()]
    if columns >= 80:
        assert max(map(len, text.splitlines())) <= columns


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.load(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"nats-websocket-bridge {__version__}\n"


@pytest.mark.parametrize("wrong", ["--planet=x", "--http-port=x", "--http-port"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_format_of_the_environment_holds_for_a_wrong_flag(
    form: str, wrong: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOG_FORMAT", form)
    with pytest.raises(SystemExit):
        command_line.load([wrong])
    lines, errors = capfd.readouterr()
    assert len(errors.splitlines()) == 1
    assert ("start_failed" in lines) == (form == "json")


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--http-port=x", 2)])
def test_settings_are_answered_before_panini_is_imported(argument: str, status: int) -> None:
    program = (
        "import runpy, sys\n"
        f"sys.argv = ['main.py', {argument!r}]\n"
        "try: runpy.run_path('main.py', run_name='__main__')\n"
        "except SystemExit as ended: print(ended.code, 'panini' in sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == f"{status} False"
