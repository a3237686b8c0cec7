"""The modules of the page joined into one file, and its style sheets: two to ask for, not ninety.

Nothing is built or kept: the files are read and joined when the service starts. The modules keep to
what this takes: imports and exports by name, each on a line of its own, and no cycle.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterator, Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_PASSED_ON = re.compile(r'^export \{([^}]*)\} from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const|let) (\w+))", re.MULTILINE)
_SHEET = re.compile(r'^ *<link rel="stylesheet" href="page/([^"]+)">\n', re.MULTILINE)
_SCRIPT = re.compile(r'<script type="module" src="page/([^"]+)">')
_VERSIONED = re.compile(r"(js|css)\.[0-9a-f]+/all\.\1")


class Packed:
    """An HTML page that loads the two files, and these by their names.

    `files`: the text of each file by its path below the folder of the page. A name has the version
    of all of them in it, and the depth of the files that are joined, so that relative addresses
    stay right.
    """

    def __init__(self, html: str, files: Mapping[str, str]) -> None:
        sheets = _SHEET.findall(html)
        (start,) = _SCRIPT.findall(html)
        script = _joined(start, files)
        style = "".join(files[each] for each in sheets)
        version = hashlib.sha256(f"{html}\0{script}\0{style}".encode()).hexdigest()[:12]
        self._current = {"js": f"js.{version}/all.js", "css": f"css.{version}/all.css"}
        self.texts = {self._current["js"]: script, self._current["css"]: style}
        self.html = _SCRIPT.sub(
            f'<link rel="stylesheet" href="page/{self._current["css"]}">\n'
            f'  <script type="module" src="page/{self._current["js"]}">',
            _SHEET.sub("", html),
        )

    def current(self, name: str) -> str | None:
        """Return what the file `name` is called now; None if it is no joined file of any version.

        Behind a balancer a page of another version may ask here.
        """
        found = _VERSIONED.fullmatch(name)
        return self._current[found[1]] if found else None


def _joined(start: str, files: Mapping[str, str]) -> str:
    """Return one module that does what `start` does, each module in a function of its own."""
    order: dict[str, str] = {}
    for name in _needed(start, files, []):
        order.setdefault(name, f"m{len(order)}")
    return "".join(_wrapped(name, files[name], order) for name in order)


def _needed(name: str, files: Mapping[str, str], above: list[str]) -> Iterator[str]:
    if name in above:
        raise ValueError(f"modules import each other: {' > '.join([*above, name])}")
    for pattern in (_IMPORT, _PASSED_ON):
        for _, source in pattern.findall(files[name]):
            yield from _needed(_path(name, source), files, [*above, name])
    yield name


def _wrapped(name: str, text: str, order: Mapping[str, str]) -> str:
    passed = [
        part.split()[-1] for names, _ in _PASSED_ON.findall(text) for part in names.split(",")
    ]

    def taken(found: re.Match[str]) -> str:
        names = found[1].replace(" as ", ": ")
        return f"const {{{names}}} = {order[_path(name, found[2])]};"

    exports = [*_EXPORT.findall(text), *passed]
    body = _EXPORT.sub("", _PASSED_ON.sub(taken, _IMPORT.sub(taken, text)))
    return (
        f"// page/{name}\nconst {order[name]} = (() => {{\n{body}"
        f"return {{ {', '.join(exports)} }};\n}})();\n"
    )


def _path(name: str, source: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), source))
