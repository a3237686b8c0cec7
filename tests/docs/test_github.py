"""What GitHub reads of the repository is as GitHub wants it, and fits the project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from bridge import __version__
from tests.docs.test_readme import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = {path.name: path.read_text() for path in sorted(GITHUB.glob("workflows/*.yml"))}
FORMS = sorted(GITHUB.glob("ISSUE_TEMPLATE/*_*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text()
LINTER = Path(sys.executable).with_name("jactionlint")
"""A fork of actionlint that comes as a wheel; actionlint's own packages fetch it from elsewhere."""


def lint(folder: Path) -> tuple[int, str]:
    """Return exit status and output of the linter for the `.github` in `folder`."""
    # Without shellcheck, which some machines have: it would find other things there than here.
    command = [LINTER, "--no-color", "--no-online", "--shellcheck=", "--pyflakes="]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A folder with the same `.github`, which the linter takes for a repository."""
    shutil.copytree(GITHUB, tmp_path / ".github")
    (tmp_path / ".git").mkdir()
    return tmp_path


def jobs(name: str) -> dict[str, Any]:
    return yaml.safe_load(WORKFLOWS[name])["jobs"]


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job.get("steps", ())]


def made_by(text: str) -> set[str]:
    """Return the targets that `text` makes."""
    return {each for made in re.findall(r"\bmake ([a-z -]+)", text) for each in made.split()}


def test_the_linter_accepts_all(repository: Path) -> None:
    assert lint(repository) == (0, "")


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("workflows/tests.yml", "runs-on:", "run-on:"),
        ("workflows/tests.yml", "matrix.python }}", "matrix.pyton }}"),
        ("workflows/tests.yml", "timeout-minutes: 60", "timeout-minutes: soon"),
        ("workflows/image.yml", "needs: tests", "needs: test"),
        ("workflows/image.yml", "names.outputs", "name.outputs"),
        ("workflows/image.yml", "packages: write", "package: write"),
        ("workflows/image.yml", "workflows/tests.yml", "workflows/test.yml"),
        ("dependabot.yml", "interval: weekly", "interval: sometimes"),
    ],
)
def test_the_linter_refuses_what_is_broken(
    file: str, right: str, wrong: str, repository: Path
) -> None:
    path = repository / ".github" / file
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    status, output = lint(repository)
    assert status == 1
    assert f".github/{file}:" in output


def test_every_python_that_is_supported_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    supported = SpecifierSet(project["requires-python"])
    minors = [f"3.{minor}" for minor in range(100) if f"3.{minor}" in supported]
    assert jobs("tests.yml")["all"]["strategy"]["matrix"]["python"] == minors
    assert minors[0] in str(jobs("tests.yml")["oldest"]["steps"])


def test_workflows_make_what_ci_makes() -> None:
    made = made_by(str([step.get("run") for step in steps("tests.yml")]))
    ci = made_by((ROOT / ".ci" / "run").read_text())
    assert made == {each for each in ci if not each.startswith("-")} - {"setup"}


@pytest.mark.parametrize("name", ["workflows/tests.yml", "pull_request_template.md"])
def test_every_target_that_is_made_exists(name: str) -> None:
    made = made_by((GITHUB / name).read_text())
    assert made
    for target in made:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_the_image_is_built_from_the_dockerfile_and_only_of_what_passed() -> None:
    job = jobs("image.yml")["image"]
    (build,) = (step["with"] for step in job["steps"] if "build-push" in step.get("uses", ""))
    assert (ROOT / build["context"] / build["file"]).is_file()
    assert build["platforms"] == "linux/amd64,linux/arm64"
    assert jobs("image.yml")[job["needs"]]["uses"] == "./.github/workflows/tests.yml"


@pytest.mark.parametrize(("tag", "status"), [(f"v{__version__}", 0), ("v999.0.0", 1)])
def test_a_tag_that_is_not_the_version_is_refused(tag: str, status: int) -> None:
    (command,) = (each["run"] for each in steps("image.yml") if "run" in each)
    environment = {"GITHUB_REF_NAME": tag, "PATH": "/usr/bin:/bin"}
    result = subprocess.run(["bash", "-ec", command], cwd=ROOT, env=environment)
    assert result.returncode == status


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_may_do_little_and_end(name: str) -> None:
    workflow = yaml.safe_load(WORKFLOWS[name])
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["group"].startswith(workflow["name"])
    for job in workflow["jobs"].values():
        assert "uses" in job or job["timeout-minutes"] <= 60
    written = [
        what
        for job in workflow["jobs"].values()
        for what, how in job.get("permissions", {}).items()
        if how == "write"
    ]
    assert written == (["packages"] if name == "image.yml" else [])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_named_by_commit_and_version(name: str) -> None:
    used = re.findall(r"uses: (?!\./)(.*)", WORKFLOWS[name])
    assert used
    for each in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", each), each


@pytest.mark.parametrize("path", FORMS, ids=[path.name for path in FORMS])
def test_forms_have_what_github_needs(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    assert {"name", "description", "body"} <= set(form) <= {"name", "description", "body", "labels"}
    questions = [each for each in form["body"] if each["type"] != "markdown"]
    assert len({each["id"] for each in questions}) == len(questions) > 0
    for each in form["body"]:
        assert each["type"] in ("markdown", "input", "textarea", "dropdown")
        assert each["attributes"].get("value" if each["type"] == "markdown" else "label")
        if each["type"] == "dropdown":
            options = each["attributes"]["options"]
            assert all(isinstance(option, str) for option in options)  # `no` would be a boolean
            assert len(set(options)) == len(options) > 1
    assert any(each["validations"]["required"] for each in questions if "validations" in each)


def test_the_bug_form_asks_for_what_one_needs() -> None:
    (form,) = (yaml.safe_load(path.read_text()) for path in FORMS if path.stem == "bug_report")
    asked = {each.get("id"): each["attributes"] for each in form["body"]}
    assert set(asked) == {
        None, "expected", "seen", "version", "run", "nats", "sign_in", "proxy", "log"
    }  # fmt: skip
    assert "`python main.py --version`" in asked["version"]["description"]
    assert "remove secrets" in asked["log"]["description"]
    assert asked["version"]["placeholder"] == f"nats-websocket-bridge {__version__}"


def test_vulnerabilities_are_kept_out_of_public_issues() -> None:
    config = yaml.safe_load((GITHUB / "ISSUE_TEMPLATE" / "config.yml").read_text())
    assert config["blank_issues_enabled"] is False
    (link,) = config["contact_links"]
    assert set(link) == {"name", "url", "about"}
    assert link["url"].startswith("https://")
    assert "SECURITY.md" in link["about"] and (ROOT / "SECURITY.md").is_file()
