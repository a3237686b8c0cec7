"""A context of the `nats` command stands for the settings that mean the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.nats_link.sign_in import SignIn
from bridge.settings import command_line
from bridge.settings.derived import Settings
from tests.support.certificates import Authority
from tests.support.identities import Identity, Operator
from tests.unit.settings.test_command_line import line_of


@pytest.fixture(autouse=True)
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of contexts, and an environment that names it and no setting."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "config" / "nats" / "context"
    folder.mkdir(parents=True)
    return folder


def loaded(contexts: Path, held: object, *arguments: str) -> Settings:
    text = held if isinstance(held, str) else json.dumps(held)
    (contexts / "prod.json").write_text(text)
    return command_line.load(["--nats-context=prod", *arguments])


def test_everything_that_says_how_to_connect_is_taken(contexts: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    cert, key = authority.issue("gateway.example")
    (tmp_path / "user.creds").write_text(Operator().creds(Identity("user")))
    (tmp_path / "user.nk").write_text(Identity("user").seed)
    tls = {"ca": str(authority.ca), "cert": str(cert), "key": str(key)}
    of_tls = {"tls_ca": tls["ca"], "tls_cert": tls["cert"], "tls_key": tls["key"]}
    for held, sign_in in (
        ({"user": "a", "password": "b"}, SignIn(user="a", password="b")),
        ({"token": "t", "description": "x"}, SignIn(token="t")),
        ({"creds": "user.creds"}, SignIn(creds="user.creds")),
        ({"nkey": "user.nk", **tls}, SignIn(nkey_seed="user.nk", **of_tls)),
        ({"jetstream_domain": "hub", "color_scheme": "", "user": ""}, SignIn()),
    ):
        read = loaded(contexts, {"url": "nats://one:1,nats://two:2", **held})
        assert (read.sign_in, read.nats_url) == (sign_in, ("nats://one:1", "nats://two:2"))
        assert read.test_messages is False


@pytest.mark.parametrize(
    ("held", "urls"),
    [
        ({}, ("nats://127.0.0.1:4222",)),
        ({"url": "one:1"}, ("nats://one:1",)),
        ({"url": "one, nats://u:p@two", "tls_first": True}, ("tls://one", "tls://u:p@two")),
        ({"url": "one", "tls_first": False}, ("nats://one",)),
    ],
)
def test_urls_are_those_the_nats_command_uses(
    held: dict[str, Any], urls: tuple[str, ...], contexts: Path
) -> None:
    assert loaded(contexts, held).nats_url == urls


def test_paths_may_have_variables_and_a_home_directory(
    contexts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user.creds").write_text(Operator().creds(Identity("user")))
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in ("$HOME/user.creds", "~/user.creds", f"file://{tmp_path}/user.creds"):
        assert loaded(contexts, {"creds": path}).sign_in.credentials("a nonce")


def test_without_xdg_config_home_it_is_below_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".config" / "nats" / "context"
    folder.mkdir(parents=True)
    (folder / "at.home.json").write_text('{"url": "nats://home:4222"}')
    assert command_line.load(["--nats-context=at.home"]).nats_url == ("nats://home:4222",)


WRONG = [
    ({"nsc": "nsc://o/a/u"}, "nsc, which it holds, is not supported: use NATS_CREDS"),
    ({"user_jwt": "planted"}, "user_jwt, which it holds, is not supported: use NATS_CREDS"),
    ({"socks_proxy": "x"}, "socks_proxy, which it holds, is not supported: use NATS_CREDS"),
    ({"creds": "nsc://o/a/planted"}, "creds, which it holds, only refers to a secret elsewhere"),
    (
        {"user": "u", "password": "op://planted"},
        "password, which it holds, only refers to a secret elsewhere",
    ),
    ({"url": 4222}, "url, which it holds, has to be text"),
    ({"password": ["planted"]}, "password, which it holds, has to be text"),
    ({"url": "http://planted"}, "its url is not that of a NATS server"),
    ({"user": "planted"}, "as NATS_PASSWORD: it is missing, NATS_USER needs it"),
    ({"token": "planted", "nkey": "planted"}, "as NATS_TOKEN: NATS_NKEY_SEED signs in as well"),
    ({"user": "planted", "key": "planted"}, "as NATS_PASSWORD: it is missing"),
    ({"creds": "planted.creds"}, "as NATS_CREDS: the file it names cannot be read: No such file"),
    ("planted", "/context/prod.json is not a JSON object"),
    ("[]", "/context/prod.json is not a JSON object"),
]


@pytest.mark.parametrize(("held", "sentence"), WRONG)
def test_what_cannot_be_used_is_named_and_not_shown(
    held: object, sentence: str, contexts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        loaded(contexts, held)
    line = capsys.readouterr().err.strip()
    assert exit_.value.code == 2
    assert line.startswith("NATS_CONTEXT: ") and sentence in line
    assert "planted" not in line and "\n" not in line


def test_what_is_wrong_beside_a_context_is_named_as_it_is(
    contexts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        loaded(contexts, {}, "--tokens-file=planted")
    assert capsys.readouterr().err.startswith("TOKENS_FILE: the file it names cannot be read")


@pytest.mark.parametrize(
    ("there", "listed"), [((), "none"), (("b.json", "a.json", "c.txt"), "a, b")]
)
@pytest.mark.parametrize("name", ["prod", "../context/a", "/etc/passwd"])
def test_an_unknown_context_is_answered_with_those_there_are(
    name: str,
    there: tuple[str, ...],
    listed: str,
    contexts: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for each in there:
        (contexts / each).write_text("{}")
    line = line_of([f"--nats-context={name}"], capsys)
    assert line.startswith(f"NATS_CONTEXT: there is no {contexts / name}.json; ")
    assert line.endswith(f"contexts in that folder: {listed}")


@pytest.mark.parametrize(
    "flag", ["--nats-url=h", "--nats-user=planted", "--nats-token=planted", "--nats-tls-ca=planted"]
)
def test_a_setting_that_says_the_same_has_to_go(
    flag: str, contexts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        loaded(contexts, {}, flag)
    setting = flag[2:].partition("=")[0].replace("-", "_").upper()
    assert capsys.readouterr().err == (
        f"NATS_CONTEXT: {setting} says how to connect as well; one of them has to go\n"
    )


def test_what_is_left_out_is_told_and_ends_nothing(
    contexts: Path, caplog: pytest.LogCaptureFixture
) -> None:
    command_line.warn_of_what_is_not_used(loaded(contexts, {"inbox_prefix": "_INBOX_mine"}))
    (record,) = [each for each in caplog.records if "inbox_prefix" in each.getMessage()]
    assert "_INBOX.nats_bridge.>" in record.getMessage()
    caplog.clear()
    command_line.warn_of_what_is_not_used(loaded(contexts, {"inbox_prefix": ""}))
    assert not caplog.records


@pytest.mark.parametrize("given", ["--nats-user=", "--nats-url=", "--nats-creds="])
def test_a_setting_that_is_given_as_nothing_is_not_given(contexts: Path, given: str) -> None:
    assert loaded(contexts, {"url": "nats://a:4222"}, given).nats_url == ("nats://a:4222",)
