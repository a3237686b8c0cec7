"""The client as a package, and its types."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import bridge
from tests.page.builds.project import CLIENT, NAME, run
from tests.support import readme
from tests.support.servers import ROOT


def test_the_package_is_called_as_the_repository_and_holds_the_client_and_its_types(
    project: Path,
) -> None:
    package = project / "node_modules" / NAME
    assert {each.name for each in package.iterdir()} == {"client.js", "client.d.ts", "package.json"}
    facts = json.loads((package / "package.json").read_text())
    assert (facts["name"], facts["version"]) == (NAME, bridge.__version__)
    assert facts["private"] is True, "it is published nowhere"
    assert f'name = "{NAME}"' in (ROOT / "pyproject.toml").read_text()
    assert f"{NAME}-{bridge.__version__}.tgz" in readme.TEXTS["docs/client.md"]


@pytest.mark.parametrize("resolution", ["nodenext", "bundler"])
def test_the_types_allow_what_the_client_does_and_nothing_else(
    project: Path, resolution: str
) -> None:
    shutil.copy(Path(__file__).parent / "uses.ts", project)
    module = "nodenext" if resolution == "nodenext" else "esnext"
    options = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"]
    how = ["--module", module, "--moduleResolution", resolution, "--types", ""]
    assert run(project, ["tsc", *options, *how, "uses.ts"]) == ""


WHAT_THERE_IS = """const { Client, ...others } = await import(process.argv[1]);
const own = new Client({ url: "ws://host", WebSocket: class { addEventListener() {} close() {} } });
const members = [...Object.getOwnPropertyNames(Client.prototype), ...Object.keys(own)];
console.log(JSON.stringify([Object.keys(others), members]));
own.close();"""


def test_the_types_name_all_that_the_client_has() -> None:
    program = ["node", "--input-type=module", "-e", WHAT_THERE_IS, str(CLIENT / "client.js")]
    exported, members = json.loads(subprocess.check_output(program, text=True))
    types = (CLIENT / "client.d.ts").read_text()
    for name in exported:
        assert f"export declare function {name}(" in types or f"declare class {name} " in types
    client = types.partition("export declare class Client {")[2].partition("\n}")[0]
    for name in members:
        assert f"  {name}(" in client or f"  readonly {name}:" in client, name
