"""The house: imports point one way, and only two files know Panini."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SOURCES = [ROOT / "main.py", ROOT / "handler.py", *sorted((ROOT / "bridge").rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Return the modules that `path` imports when it runs, and for its types."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_in_bridge_imports_main_or_handler() -> None:
    for path in SOURCES:
        if ROOT / "bridge" in path.parents:
            assert not imported(path) & {"main", "handler"}, path


def test_only_two_files_import_panini() -> None:
    users = {path.name for path in SOURCES if any(n.startswith("panini") for n in imported(path))}
    assert users <= {"main.py", "app.py"}


def test_pure_modules_know_no_io() -> None:
    for name in ("subjects.py", "messages.py", "envelope.py", "frames.py"):
        roots = {each.split(".")[0] for each in imported(ROOT / "bridge" / "wire" / name)}
        assert not roots & {"asyncio", "aiohttp", "nats", "panini", "socket"}, name


def test_imports_at_run_time_have_no_circles() -> None:
    graph = {}
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
                node.body = []
        names = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                names |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        graph[module] = names
    seen: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"a circle: {' -> '.join((*above, module))}"
        if module in seen or module not in graph:
            return
        for name in graph[module]:
            if name in graph:
                visit(name, (*above, module))
        seen.add(module)

    for module in graph:
        visit(module, ())
