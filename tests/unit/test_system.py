"""Where the service cannot run, a start says so in one line."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import system
from tests.support.servers import ROOT
from tests.support.shell import program, sh, shell_folder

ON_WINDOWS = (
    "import runpy, sys; sys.modules['resource'] = None; sys.path.insert(0, '');"
    "runpy.run_path('main.py', run_name='__main__')"
)


def start(*command: str) -> tuple[int, str]:
    """Return the exit status of a start of `main.py`, and what it said."""
    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=20
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def test_a_python_without_what_windows_lacks_is_told_where_it_runs() -> None:
    said = "This runs on Linux and macOS. On Windows, use WSL 2 or Docker.\n"
    assert start("-c", ON_WINDOWS) == (2, said)


def test_a_python_without_the_packages_is_told_how_to_get_them() -> None:
    status, said = start("-S", "main.py")
    assert status == 2
    assert said.startswith("Its packages are not installed") and said.count("\n") == 1


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 19), (3, 15, 0), (4, 0, 0)])
def test_another_python_is_told_which_one_is_needed(
    version: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ".".join(map(str, version))
    monkeypatch.setattr(sys, "version_info", version)
    monkeypatch.setattr(sys, "version", f"{text} (main)")
    assert system.fault() == f"Python 3.11 to 3.14 is needed, this is {text}."


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13), (3, 14)])
def test_nothing_is_wrong_here(version: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    assert system.fault() == ""


@pytest.mark.parametrize("name", ["main.py", "bridge/__init__.py", "bridge/system.py"])
def test_older_pythons_can_read_what_tells_them(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 7))


def test_nothing_is_imported_before_the_question() -> None:
    """Or else a start would end with what one of the packages has to say."""
    body = ast.parse((ROOT / "main.py").read_text()).body
    asked = next(n for n, each in enumerate(body) if "system.check()" in ast.unparse(each))
    imported = [each for each in body[:asked] if isinstance(each, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(each) for each in imported] == [
        *("import gc", "import os", "import signal", "import sys", "from bridge import system")
    ]


def test_make_names_the_package_that_debian_has_for_virtual_environments(tmp_path: Path) -> None:
    folder = shell_folder(tmp_path)
    (folder / ".venv" / "ready").unlink()
    # Debian's own Python, without the package python3-venv.
    without = "import sys; sys.modules['ensurepip'] = None; exec(sys.argv.pop(1))"
    python = folder / "bin" / "python3"
    program(python, f'[ "$1" = -c ] && shift && exec {sys.executable} -c "{without}" "$@"; exit 9')
    said = sh("! make run PYTHON=python3 2>&1", folder)
    assert "apt install python3-venv" in said
    assert "Traceback" not in said
