"""The page's files, joined."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.web.packed import Packed, is_joined
from tests.support.servers import ROOT

HTML = """<head>
  <link rel="stylesheet" href="page/css/a.css">
  <link rel="stylesheet" href="page/css/b.css">
  <script type="module" src="page/js/main.js"></script>
</head>
"""
QUOTES = "[\"'`]"  # as a regex has them
LATER = "js/decode/"  # each module on its own, when it is needed
FILES = {
    "css/a.css": "a { color: red; }\n",
    "css/b.css": "b { color: blue; }\n",
    "js/main.js": (
        'import { one, Two as Other } from "./model/one.js";\n'
        'import { three } from "./three.js";\n'
        "globalThis.seen = [one(), new Other().name, three];\n"
        'process.stdout.write(globalThis.seen.join(" "));\n'
    ),
    "js/model/one.js": (
        'import { three } from "../three.js";\n'
        "export async function never() {}\n"
        "export function one() {\n  return `one ${three}`;\n}\n"
        'export class Two {\n  name = "two";\n}\n'
    ),
    "js/three.js": 'export { deep as three } from "./deep.js";\n',
    "js/deep.js": "export const deep = 3;\n",
}


def page(folder: Path) -> tuple[str, dict[str, str]]:
    files = [path for path in folder.rglob("*") if path.suffix in (".css", ".js")]
    texts = {path.relative_to(folder).as_posix(): path.read_text() for path in files}
    return (folder / "index.html").read_text(), texts


def test_the_page_holds_its_styles_and_loads_one_module() -> None:
    packed = Packed(HTML, FILES)
    assert re.findall(r'(?:href|src)="page/([^"]+)"', packed.html) == [packed.name]
    assert re.fullmatch(r"js\.[0-9a-f]{12}/all\.js", packed.name)
    (style,) = re.findall(r"<style>(.*?)</style>", packed.html, re.DOTALL)
    assert style == "\na { color: red; }\nb { color: blue; }\n"
    digest = hashlib.sha256(style.encode()).digest()
    assert base64.b64encode(digest).decode() == packed.style_hash


def test_modules_joined_do_what_they_do_apart(tmp_path: Path) -> None:
    script = Packed(HTML, FILES).script
    node = shutil.which("node")
    assert node
    (tmp_path / "all.mjs").write_text(script)
    ran = subprocess.run([node, tmp_path / "all.mjs"], capture_output=True, check=True)
    assert ran.stdout == b"one 3 two 3"


def test_each_change_makes_another_address_and_any_version_is_known() -> None:
    packed = Packed(HTML, FILES)
    other = Packed(HTML, FILES | {"js/deep.js": "export const deep = 4;\n"})
    assert packed.name != other.name
    assert is_joined(packed.name)
    assert is_joined(other.name)
    for name in ("js/all.js", "js.x/all.js", "js.0123/main.js", "css.0123/all.css", "js/client.js"):
        assert not is_joined(name)


def test_modules_that_import_each_other_are_named() -> None:
    circle = FILES | {
        "js/deep.js": 'import { one } from "./model/one.js";\nexport const deep = 3;\n'
    }
    with pytest.raises(ValueError, match=r"one.js > js/three.js > js/deep.js > js/model/one.js$"):
        Packed(HTML, circle)


def test_every_import_and_export_of_the_page_is_one_that_can_be_joined() -> None:
    html, files = page(ROOT / "page")
    packed = Packed(html, files)
    assert not re.search(r"^(import|export)\b", packed.script, re.MULTILINE)
    later = {name for name in files if name.startswith(LATER)}
    apart = {name for name in files if name.startswith("js/")} - later
    assert set(re.findall(r"^// page/(\S+)$", packed.script, re.MULTILINE)) == apart
    sources = {each for name in later for each in re.findall(r'from "(\S+)"', files[name])}
    assert {f"{LATER}{each.removeprefix('./')}" for each in sources} < later, "they load no others"
    styles = "".join(text for name, text in files.items() if name.endswith(".css"))
    assert "url(" not in styles, "it would be looked for elsewhere"
    assert "</" not in styles
    lines = [re.sub(r" // .*", "", line).replace(QUOTES, "") for line in packed.script.splitlines()]
    assert not [line for line in lines if line.count("`") % 2], "a text of several lines"
