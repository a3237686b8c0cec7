"""The client packed, and a project of somebody else's in which it is installed."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import bridge
from tests.page.builds.project import CLIENT, NAME
from tests.page.support import npm
from tests.support.servers import Gateway, NatsServer, running


class Site(SimpleHTTPRequestHandler):
    """Serves files, and says nothing about it."""

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def tools() -> Path:
    return npm.tools()


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client as `npm pack` makes it."""
    packed = tmp_path_factory.mktemp("packed")
    pack = ["npm", "pack", CLIENT, "--pack-destination", packed, "--loglevel=error"]
    subprocess.run(pack, check=True, capture_output=True, cwd=packed)
    (file,) = packed.iterdir()
    assert file.name == f"{NAME}-{bridge.__version__}.tgz"
    return file


@pytest.fixture
def project(tools: Path, package: Path, tmp_path: Path) -> Path:
    """A project of somebody else's, in which all tools and the client are installed."""
    project = tmp_path / "project"
    (project / "node_modules").mkdir(parents=True)
    for each in tools.iterdir():
        (project / "node_modules" / each.name).symlink_to(each)
    with tarfile.open(package) as archive:
        archive.extractall(tmp_path, filter="data")
    shutil.move(tmp_path / "package", project / "node_modules" / NAME)
    (project / "package.json").write_text('{"name": "somebodys", "type": "module"}')
    (project / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
        '<output id="value"></output> <b id="state"></b>'
        '<script type="module" src="./app.js"></script>'
    )
    return project


@pytest.fixture
def site(project: Path) -> Iterator[str]:
    """The origin at which the files of the project are."""
    handler = partial(Site, directory=str(project))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def allowing(nats_server: NatsServer, site: str, log: Path) -> Iterator[Gateway]:
    with running(Gateway(nats_server.url, log=log, allowed_origins=site)) as service:
        yield service
