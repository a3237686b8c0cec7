"""What is wrong with settings for signing in is said in one line, which shows none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as pem

from bridge.nats_link.nkeys import UserKey
from bridge.nats_link.sign_in import SignIn, SignInError
from bridge.settings import command_line, derived, table
from tests.support.certificates import Authority
from tests.support.identities import Identity, Operator
from tests.support.servers import PATIENCE, ROOT
from tests.unit.settings.test_command_line import line_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with files of every kind, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in derived.Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(table, "SECRETS", tmp_path / "secrets")
    (tmp_path / "secrets").mkdir()
    operator, user, other = Operator(), Identity("user"), Identity("user")
    for name, text in {
        "planted.txt": "planted",
        "user.creds": operator.creds(user),
        "mixed.creds": operator.creds(user).replace(user.seed, other.seed),
        "bearer.creds": operator.creds(user).partition("****")[0],
        "cut.creds": operator.creds(user).partition("JWT---")[0],
        "no-claims.creds": f"eyJ.planted.x\n{user.seed}",
        "user.nk": user.seed,
        "typo.nk": user.seed[:20] + ("A" if user.seed[20] != "A" else "B") + user.seed[21:],
        "account.nk": Identity("account").seed,
    }.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    for name in ("one", "two"):
        authority = Authority(tmp_path / name)
        authority.issue("gateway.example")
    return tmp_path


CERT, KEY = "one/gateway.example.pem", "one/gateway.example.key"
WRONG = [
    ("NATS_PASSWORD", {"nats_user": "planted"}),
    ("NATS_USER", {"nats_password": "planted"}),
    ("NATS_TLS_KEY", {"nats_tls_cert": CERT}),
    ("NATS_TLS_CERT", {"nats_tls_key": KEY}),
    ("NATS_USER", {"nats_user": "planted", "nats_password": "planted", "nats_token": "planted"}),
    ("NATS_USER", {"nats_user": "u", "nats_password": "p", "nats_nkey_seed": "user.nk"}),
    ("NATS_CREDS", {"nats_creds": "user.creds", "nats_nkey_seed": "user.nk"}),
    ("NATS_TOKEN", {"nats_token": "planted", "nats_url": "nats://planted:planted@h"}),
    ("NATS_NKEY_SEED", {"nats_nkey_seed": "user.nk", "nats_url": "a,tls://planted@h"}),
    (
        "NATS_TOKEN",
        {"nats_creds": "user.creds", "nats_token": "planted", "nats_url": "a,tls://planted@h"},
    ),
    ("NATS_CREDS", {"nats_creds": "planted-missing"}),
    ("NATS_CREDS", {"nats_creds": "one"}),
    ("NATS_CREDS", {"nats_creds": "planted.txt"}),
    ("NATS_CREDS", {"nats_creds": "binary"}),
    ("NATS_CREDS", {"nats_creds": "cut.creds"}),
    ("NATS_CREDS", {"nats_creds": "mixed.creds"}),
    ("NATS_CREDS", {"nats_creds": "no-claims.creds"}),
    ("NATS_CREDS", {"nats_creds": "-----BEGIN planted\nplanted" * 1000}),
    ("NATS_NKEY_SEED", {"nats_nkey_seed": "SUplanted"}),
    ("NATS_NKEY_SEED", {"nats_nkey_seed": "S" + "UPLANTED2" * 6 + "UPL"}),
    ("NATS_NKEY_SEED", {"nats_nkey_seed": "typo.nk"}),
    ("NATS_NKEY_SEED", {"nats_nkey_seed": "account.nk"}),
    ("NATS_NKEY_SEED", {"nats_nkey_seed": "planted.txt"}),
    ("NATS_TLS_CA", {"nats_tls_ca": "planted-missing"}),
    ("NATS_TLS_CA", {"nats_tls_ca": "planted.txt"}),
    pytest.param("NATS_TLS_CA", {"nats_tls_ca": "/dev/zero"}, id="zero"),
    ("NATS_TLS_CERT", {"nats_tls_cert": "planted-missing", "nats_tls_key": KEY}),
    ("NATS_TLS_CERT", {"nats_tls_cert": "planted.txt", "nats_tls_key": KEY}),
    ("NATS_TLS_KEY", {"nats_tls_cert": CERT, "nats_tls_key": "planted-missing"}),
    ("NATS_TLS_CERT", {"nats_tls_cert": CERT, "nats_tls_key": "planted.txt"}),
    ("NATS_TLS_CERT", {"nats_tls_cert": CERT, "nats_tls_key": "two/gateway.example.key"}),
]


@pytest.mark.parametrize(("name", "given"), WRONG)
def test_a_wrong_setting_is_named_and_not_shown(
    name: str,
    given: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for setting, value in given.items():
        monkeypatch.setenv(setting.upper(), value)
    assert line_of([], capsys).startswith(f"{name}: ")


def test_an_encrypted_key_is_refused_without_a_question_on_the_terminal(folder: Path) -> None:
    key = pem.load_pem_private_key((folder / KEY).read_bytes(), None)
    encryption = pem.BestAvailableEncryption(b"planted")
    (folder / KEY).write_bytes(
        key.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, encryption)
    )
    arguments = [f"--nats-tls-cert={CERT}", f"--nats-tls-key={KEY}"]
    load = f"from bridge.settings import command_line; command_line.load({arguments})"
    on_a_terminal = f"import pty, sys; pty.spawn([sys.executable, '-c', {load!r}])"
    ended = subprocess.run(
        [sys.executable, "-c", on_a_terminal],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    (line,) = ended.stdout.splitlines()
    assert line.startswith("NATS_TLS_CERT: ")


@pytest.mark.parametrize(
    "given",
    [
        {"nats_user": "a", "nats_password": "b"},
        {"nats_token": "a", "nats_url": "nats://h,nats://i"},
        {"nats_creds": "user.creds"},
        {"nats_creds": "user.creds", "nats_user": "a", "nats_password": "b"},
        {"nats_creds": "user.creds", "nats_token": "a"},
        {"nats_creds": "user.creds", "nats_url": "a,tls://b@h"},
        {"nats_creds": "bearer.creds"},
        {"nats_nkey_seed": "user.nk"},
        {"nats_tls_ca": "one/ca.pem", "nats_url": "nats://a:b@h"},
        {"nats_tls_cert": CERT, "nats_tls_key": KEY, "nats_creds": "user.creds"},
        {f"nats_{name}": "" for name in SignIn.__dataclass_fields__},
    ],
)
def test_settings_that_make_sense_are_taken(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for setting, value in given.items():
        monkeypatch.setenv(setting.upper(), value)
    assert command_line.load([]).sign_in


def test_help_and_text_of_the_settings_show_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("nats_password", "nats_token", "nats_nkey_seed"):
        monkeypatch.setenv(name.upper(), "planted")
        with pytest.raises(SystemExit):
            command_line.load(["--help"])
    assert "planted" not in capsys.readouterr().out
    made = derived.Settings()
    assert "planted" not in repr(made) and "planted" not in repr(made.sign_in)


def test_files_of_the_secrets_folder_are_values_or_what_a_path_leads_to(folder: Path) -> None:
    secrets = folder / "secrets"
    (secrets / "NATS_PASSWORD").write_text(" with spaces \n")
    (secrets / "nats_user").write_text("somebody\n")
    (secrets / "http_port").write_text("1234")
    (secrets / "nats_tls_ca").write_bytes((folder / "one/ca.pem").read_bytes())
    (secrets / "unknown").mkdir()
    loaded = command_line.load(["--nats-user", "flags-come-first"])
    assert loaded.http_port == 1234
    assert loaded.sign_in == SignIn(
        "flags-come-first", "with spaces", tls_ca=str(secrets / "nats_tls_ca")
    )


def test_a_secret_that_cannot_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = folder / "secrets" / "nats_password"
    secret.write_text("planted")

    def refuse(path: Path, **options: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)
    assert line_of([], capsys).startswith("NATS_PASSWORD: ")


def test_a_server_that_wants_no_signature_is_shown_none(folder: Path) -> None:
    assert SignIn(nkey_seed="user.nk").credentials(None) == {}
    assert SignIn(creds="user.creds").credentials(None) == {}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"creds": "user.creds"}, {"jwt", "sig"}),
        ({"creds": "bearer.creds"}, {"jwt"}),
        ({"creds": "user.creds", "user": "a", "password": "b"}, {"jwt", "sig", "user", "pass"}),
        ({"creds": "bearer.creds", "user": "a", "password": "b"}, {"jwt", "user", "pass"}),
        ({"creds": "bearer.creds", "token": "a"}, {"jwt", "auth_token"}),
        ({"user": "a", "password": "b"}, {"user", "pass"}),
        ({"token": "a"}, {"auth_token"}),
        ({"nkey_seed": "user.nk"}, {"nkey", "sig"}),
    ],
)
def test_what_an_auth_callout_decides_by_is_shown_beside_a_creds_file(
    given: dict[str, str], shown: set[str], folder: Path
) -> None:
    assert set(SignIn(**given).credentials("a nonce")) == shown
    assert not {"jwt", "nkey", "sig"} & set(SignIn(**given).credentials(None))


def test_the_public_key_is_that_of_the_seed() -> None:
    user = Identity("user")
    assert UserKey(user.seed).public == user.public


def test_an_error_is_one_of_nats_so_that_it_is_tried_again() -> None:
    from nats.errors import Error

    assert issubclass(SignInError, Error)
