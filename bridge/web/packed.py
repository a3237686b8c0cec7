"""The page with its modules joined into one file, and its styles in it: two to ask for, not ninety.

Nothing is built or kept: the files are read and joined when the service starts. The modules keep to
what this takes: imports and exports by name, each on a line of its own, no cycle, and no text that
looks like a comment on a line of its own.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_PASSED_ON = re.compile(r'^export \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const|let) (\w+))", re.MULTILINE)
_SHEET = re.compile(r'^ *<link rel="stylesheet" href="page/([^"]+)">\n', re.MULTILINE)
_SCRIPT = re.compile(r'<script type="module" src="page/([^"]+)">')
_VERSIONED = re.compile(r"js\.[0-9a-f]+/all\.js")
_COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)


class Packed:
    """An HTML page with its styles in it, and one module to load.

    `files`: the text of each file by its path below the folder of the page. The name of the module
    has the version of all of them in it, and the depth of the modules that are joined, so that
    relative addresses stay right.
    """

    def __init__(self, html: str, files: Mapping[str, str]) -> None:
        style = "\n" + "".join(files[each] for each in _SHEET.findall(html))
        (start,) = _SCRIPT.findall(html)
        self.script = _joined(start, files)
        version = hashlib.sha256(self.script.encode()).hexdigest()[:12]
        self.name = f"js.{version}/all.js"
        self.style_hash = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        """SHA-256 of the styles, as a policy names them."""
        loaded = f'<style>{style}</style>\n  <script type="module" src="page/{self.name}">'
        self.html = _SCRIPT.sub(lambda _: loaded, _SHEET.sub("", html))


def is_joined(name: str) -> bool:
    """Tell whether this is what a joined module is called in any version.

    Behind a balancer a page of another version may ask here.
    """
    return _VERSIONED.fullmatch(name) is not None


def _joined(start: str, files: Mapping[str, str]) -> str:
    """Return one module that does what `start` does, each module in a function of its own."""
    order: dict[str, str] = {}
    for name in _needed(start, files, [], set()):
        order[name] = f"m{len(order)}"
    return "".join(_wrapped(name, files[name], order) for name in order)


def _needed(name: str, files: Mapping[str, str], above: list[str], seen: set[str]) -> Iterator[str]:
    """Yield each module that has not been seen yet, after those that it imports."""
    if name in above:
        raise ValueError(f"modules import each other: {' > '.join([*above, name])}")
    if name in seen:
        return
    seen.add(name)
    for pattern in (_IMPORT, _PASSED_ON):
        for _, source in pattern.findall(files[name]):
            yield from _needed(_path(name, source), files, [*above, name], seen)
    yield name


def _wrapped(name: str, text: str, order: Mapping[str, str]) -> str:
    passed = [
        part.split()[-1] for names, _ in _PASSED_ON.findall(text) for part in names.split(",")
    ]

    def taken(found: re.Match[str]) -> str:
        names = found[1].replace(" as ", ": ")
        return f"const {{{names}}} = {order[_path(name, found[2])]};"

    exports = [*_EXPORT.findall(text), *passed]
    body = _EXPORT.sub("", _PASSED_ON.sub(taken, _IMPORT.sub(taken, _COMMENT.sub("", text))))
    return (
        f"// page/{name}\nconst {order[name]} = (() => {{\n{body}"
        f"return {{ {', '.join(exports)} }};\n}})();\n"
    )


def _path(name: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
