"""Finds the private names of libraries that our own code uses."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.support.servers import ROOT

DOCUMENTED = {"_replace", "_asdict", "_fields", "_make", "_exit"}
"""Of named tuples, where the underscore keeps them apart from the fields, and `os._exit`."""


def found(dotted: str) -> Any:
    """Return what `dotted` names. Raises AttributeError if it is not there."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            thing = getattr(thing, part)
        return thing
    raise AttributeError(dotted)


@dataclass(frozen=True, order=True)
class Use:
    """A private name of a library in a line of ours."""

    path: str
    line: int
    name: str


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name.strip("_") != ""


class Code:
    """Our own source files: `files` is path to text."""

    def __init__(self, files: dict[str, str]) -> None:
        self.trees = {path: ast.parse(text) for path, text in files.items()}
        self._classes = {
            node.name: (path, node)
            for path, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }

    def uses(self) -> Iterator[Use]:
        """Find every private name of a library."""
        for path, tree in self.trees.items():
            # A class may look into others of its kind.
            own = {
                (inner, name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ClassDef) and not self._libraries_above(path, node)
                for name in defined_by(node)
                for inner in ast.walk(node)
            }
            for node in ast.walk(tree):
                for name in named_of_others(node):
                    if is_private(name) and name not in DOCUMENTED and (node, name) not in own:
                        yield Use(path, node.lineno, name)
                if isinstance(node, ast.ClassDef):
                    yield from self._uses_of_bases(path, node)

    def _uses_of_bases(self, path: str, node: ast.ClassDef) -> Iterator[Use]:
        """Find what a class overrides, reads or sets of the library's class above it."""
        libraries = self._libraries_above(path, node)
        theirs = {name for dotted in libraries for name in names_of_class(dotted)}
        ours = {name for each in self._chain(node) for name in defined_by(each)}
        for each in ast.walk(node):
            for name in named_of_self(each):
                # One that nobody defines was theirs until a moment ago.
                if libraries and is_private(name) and (name in theirs or name not in ours):
                    yield Use(path, each.lineno, name)

    def _chain(self, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """Return a class and those of ours that it derives from."""
        yield node
        for base in node.bases:
            known = self._classes.get(ast.unparse(base).rpartition(".")[2])
            if known is not None:
                yield from self._chain(known[1])

    def _libraries_above(self, path: str, node: ast.ClassDef) -> set[str]:
        """Return the classes of libraries that a class derives from, also through ours."""
        above: set[str] = set()
        imports = imported_in(self.trees[path])
        for base in node.bases:
            if isinstance(base, ast.Subscript):
                base = base.value
            first, _, rest = ast.unparse(base).partition(".")
            known = self._classes.get((rest or first).rpartition(".")[2])
            if known is not None:
                above |= self._libraries_above(*known)
            elif first in imports:
                above.add(f"{imports[first]}.{rest}".rstrip("."))
        return above


def imported_in(tree: ast.Module) -> dict[str, str]:
    """Return what each name that a file imports stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                names[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}.{each.name}"
    return names


def named_of_others(node: ast.AST) -> Iterator[str]:
    """Return the names that one node takes from something that is not `self`."""
    if isinstance(node, ast.Attribute) and not is_self(node.value):
        yield node.attr
    elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("bridge"):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.Call):
        yield from (each.arg for each in node.keywords if each.arg)
        if getattr(node.func, "id", "") in ("getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant):
                yield str(name.value)


def named_of_self(node: ast.AST) -> Iterator[str]:
    """Return the names that one node of a class takes from `self`, or defines."""
    if isinstance(node, ast.Attribute) and is_self(node.value):
        yield node.attr
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    else:
        yield from defined_in(node)


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def defined_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name


def defined_by(node: ast.ClassDef) -> set[str]:
    """Return the names that a class defines: methods, attributes and slots."""
    names = {name for each in ast.walk(node) for name in defined_in(each)}
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            names.add(each.target.id)
        elif isinstance(each, ast.Assign):
            names |= {target.id for target in each.targets if isinstance(target, ast.Name)}
            if isinstance(each.targets[0], ast.Name) and each.targets[0].id == "__slots__":
                names |= set(ast.literal_eval(each.value))
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            if is_self(each.value):
                names.add(each.attr)
    return names


@cache
def names_of_class(dotted: str) -> frozenset[str]:
    """Return the private names of a library's class and of its instances."""
    cls = found(dotted)
    names = set(dir(cls))
    for each in getattr(cls, "__mro__", ()):
        try:
            names |= set(re.findall(r"\bself\.(_\w+)", inspect.getsource(each)))
        except (OSError, TypeError):
            continue  # it is written in C
    return frozenset(names)


def our_code() -> dict[str, str]:
    paths = [ROOT / "main.py", ROOT / "handler.py", *sorted((ROOT / "bridge").rglob("*.py"))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}
