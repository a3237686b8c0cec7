"""Settings of who may connect: which do not start together, and which are warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.settings import command_line
from tests.support import minting
from tests.unit.settings.test_command_line import line_of

HEADER, PROXIES = "--auth-header=X-Forwarded-User", "--trusted-proxies=10.0.0.0/8"
GROUPS_OF, FILE = "--auth-groups-header=X-Forwarded-Groups", "--auth-groups-file=missing"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([HEADER], "TRUSTED_PROXIES: it is missing, AUTH_HEADER needs it"),
        ([GROUPS_OF], "AUTH_HEADER: it is missing, AUTH_GROUPS_HEADER needs it"),
        ([FILE], "AUTH_HEADER: it is missing, AUTH_GROUPS_FILE needs it"),
        (
            [HEADER, PROXIES, GROUPS_OF],
            "AUTH_GROUPS_FILE: it is missing, AUTH_GROUPS_HEADER needs it",
        ),
        (
            [HEADER, PROXIES, FILE],
            "AUTH_GROUPS_HEADER: it is missing, AUTH_GROUPS_FILE needs it",
        ),
        (
            [HEADER, PROXIES, GROUPS_OF, FILE],
            "AUTH_GROUPS_FILE: the file it names cannot be read: No such file or directory",
        ),
        *(
            (
                [HEADER, f"--trusted-proxies={everybody}"],
                "TRUSTED_PROXIES: with AUTH_HEADER it has to name the proxies: whoever is trusted "
                "can be anybody",
            )
            for everybody in ("0.0.0.0/0", "10.0.0.1 ::/0")
        ),
        *(
            (
                [f"--auth-header={header}", PROXIES],
                "AUTH_HEADER: it has to be a header of the proxy's own, such as X-Forwarded-User",
            )
            for header in ("Authorization", "Cookie", "X Forwarded User", "X_User")
        ),
    ],
)
def test_a_sign_in_that_anybody_could_pretend_does_not_start(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line_of(arguments, capsys) == line


def test_with_a_sign_in_other_machines_may_be_served() -> None:
    assert command_line.load([HEADER, PROXIES, "--http-host=0.0.0.0"]).auth_header


@pytest.mark.parametrize(
    ("more", "warned"),
    [
        ([], True),
        (["--allow-subjects=orders.> >"], True),
        (["--jwt-audience=us"], False),
        (["--jwt-issuer=https://id"], False),
        (["--allow-subjects=orders.>"], False),
        (["--jwt-key="], False),
    ],
)
def test_a_jwt_that_opens_everything_whoever_it_is_for_is_a_warning(
    more: list[str], warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "key").write_text(minting.key_file("ES256"))
    command_line.warn_of_wide_tokens(command_line.load([f"--jwt-key={tmp_path}/key", *more]))
    assert [each.levelname for each in caplog.records] == ["WARNING"] * warned
    assert "JWT_AUDIENCE" in caplog.text or not warned
