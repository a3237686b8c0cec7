"""The house: imports point one way. This table says which way; docs/architecture.md shows it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.servers import ROOT

ARROWS: dict[str, tuple[str, ...]] = {
    "wire": (),
    "telemetry": (),
    "healthcheck": (),
    "token_bucket": (),
    "outlet": (),
    "container": (),
    "system": (),
    "files": ("telemetry",),
    "nats_link": ("files", "container", "telemetry", "wire"),
    "access": ("files", "wire"),
    "history": ("nats_link", "telemetry", "token_bucket", "wire"),
    "fanout": ("nats_link", "access", "outlet", "telemetry", "wire"),
    "web": ("access", "files", "container", "outlet", "telemetry", "token_bucket", "wire"),
    "publishing": ("nats_link", "access", "telemetry", "token_bucket", "wire"),
    "audiences": ("history", "fanout", "access", "outlet", "telemetry", "token_bucket", "wire"),
    "connections": (
        "audiences",
        "publishing",
        "fanout",
        "web",
        "access",
        "telemetry",
        "token_bucket",
        "wire",
    ),
    "replicas": ("audiences", "connections", "telemetry", "wire"),
    "settings": (
        *("connections", "publishing", "web", "access", "nats_link", "files", "telemetry", "wire"),
    ),
    "service": ("settings", "web", "nats_link", "telemetry", "wire"),
    "handler": (
        "audiences",
        "history",
        "fanout",
        "publishing",
        "connections",
        "web",
        "access",
        "telemetry",
        "wire",
    ),
    "main": (
        *("handler", "service", "settings", "replicas", "publishing", "history", "web", "system"),
        *("telemetry", "wire"),
    ),
}
"""Each package, or file beside them, and what it may import; each stands below what it imports."""

PURE = {"asyncio", "socket", "aiohttp", "nats", "panini", "logging", "os", "threading"}
"""What `wire`, which knows no I/O, leaves alone."""


class Import(NamedTuple):
    """One import: the file and the line it stands in, and the module it asks for."""

    path: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


def sources() -> list[Path]:
    """Return the files of the service."""
    return [ROOT / "main.py", ROOT / "handler.py", *sorted((ROOT / "bridge").rglob("*.py"))]


def imports_of(path: Path) -> Iterator[Import]:
    """Yield what `path` imports, whether it runs or only gives types."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports name the whole path"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(path, node.lineno, inner if _is_ours(inner) else str(node.module))


def _is_ours(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def package_of(module: str) -> str:
    """Return the row of the table that `module` belongs to; empty if it is not ours."""
    first, _, rest = module.partition(".")
    if first in ("main", "handler"):
        return first
    return rest.partition(".")[0] if first == "bridge" else ""


def module_of(path: Path) -> str:
    """Return the name that `path` is imported by."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


IMPORTS = [each for path in sources() for each in imports_of(path)]


def test_imports_follow_the_arrows() -> None:
    wrong = []
    for each in IMPORTS:
        package, wanted = package_of(module_of(each.path)), package_of(each.module)
        if wanted and wanted != package and wanted not in ARROWS[package]:
            wrong.append(f"{each}: {package} -> {wanted} is no arrow of the house")
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_arrow_points_down_and_is_used() -> None:
    floors = list(ARROWS)
    used = {(package_of(module_of(each.path)), package_of(each.module)) for each in IMPORTS}
    for package, below in ARROWS.items():
        for each in below:
            assert floors.index(each) < floors.index(package), f"{package} -> {each} points up"
            assert (package, each) in used, f"{package} -> {each} is not needed any more"
    assert {package for package, _ in used} <= {*ARROWS, ""}


def test_no_imports_go_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for each in IMPORTS:
        if package_of(each.module):
            graph.setdefault(module_of(each.path), set()).add(each.module)
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"a circle: {' -> '.join((*above, module))}"
        if module not in done:
            for inner in graph.get(module, ()):
                visit(inner, (*above, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_wire_knows_no_io() -> None:
    for each in IMPORTS:
        if package_of(module_of(each.path)) == "wire":
            assert each.module.split(".")[0] not in PURE, str(each)


def test_only_the_adapter_knows_panini() -> None:
    for each in IMPORTS:
        if each.module.split(".")[0] == "panini":
            assert each.path == ROOT / "bridge" / "service" / "panini_app.py", str(each)


@pytest.mark.parametrize("folder", [p.parent for p in sources() if p.name == "__init__.py"][1:])
def test_packages_are_empty_but_for_their_files(folder: Path) -> None:
    """One re-export in `service` would load Panini in the parent of workers, and in `--help`."""
    assert not (folder / "__init__.py").read_text()


def test_a_start_loads_no_library_that_few_need_or_that_is_needed_later() -> None:
    loaded = "{name.partition('.')[0] for name in sys.modules}"
    unwanted = f"{{'jwt', 'cryptography', 'prometheus_client'}} & {loaded}"
    code = f"import runpy, sys; runpy.run_path('main.py'); print({unwanted} or 'none')"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("none\n", "")
