"""Real reverse proxies, which run the recipes of docs/proxies.md with ports and files of ours."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support import readme
from tests.support.ports import free_port
from tests.support.servers import until

PAGE = "docs/proxies.md"
NAME = "live.example.com"
INSTALL = {
    "nginx": "apt-get install nginx",
    "caddy": "apt-get install caddy",
    "haproxy": "apt-get install haproxy",
    "traefik": "pip install -r requirements-dev.txt",
}
_PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"))


def recipe(kind: str, number: int) -> str:
    """Return a block of docs/proxies.md by its language, and its place among those of it."""
    same = [each for each in readme.blocks() if (each.page, each.kind) == (PAGE, kind)]
    return same[number].text


def needs(program: str) -> pytest.MarkDecorator:
    """Skip a test where `program` is not installed."""
    reason = f"{program} is not installed: {INSTALL[program]}"
    return pytest.mark.skipif(not shutil.which(program, path=_PATH), reason=reason)


@dataclass
class ReverseProxy:
    """A program that passes requests for `NAME` on to a gateway on `target`.

    `write` makes its configuration in `folder`, and returns the command. `below`: a sub-path.
    """

    write: Callable[[ReverseProxy, bool], list[str | Path]]
    folder: Path
    target: int
    cert: Path
    key: Path
    port: int = field(default_factory=free_port)
    below: str = ""
    _process: subprocess.Popen[bytes] | None = None

    @property
    def origin(self) -> str:
        """The origin of the page."""
        return f"https://{NAME}:{self.port}"

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = self.write(self, bool(self.below))
        program = shutil.which(str(command[0]), path=_PATH)
        assert program is not None
        homes = {name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        with (self.folder / "proxy.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program, *command[1:]],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | homes,
                process_group=0,
            )
        until(lambda: self._listens() or self._ended())

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def _ended(self) -> None:
        assert self._process is not None
        said = (self.folder / "proxy.log").read_text()
        assert self._process.poll() is None, said

    def put(self, name: str, text: str) -> Path:
        """Write a file of the configuration."""
        path = self.folder / name
        path.write_text(text)
        return path

    def fill_in(self, text: str) -> str:
        """Put our ports and files into a recipe."""
        text = text.replace("127.0.0.1:5001", f"127.0.0.1:{self.target}")
        text = text.replace("live.pem", str(self.folder / "live.pem"))
        return text.replace("cert.pem", str(self.cert)).replace("key.pem", str(self.key))


def nginx(proxy: ReverseProxy, below: bool) -> list[str | Path]:
    """Write the configuration of nginx."""
    text = recipe("nginx", 0)
    if below:
        text = re.sub(r"(?:^    location.*\n)+", recipe("nginx", 1), text, flags=re.MULTILINE)
    text = proxy.fill_in(text).replace("listen 443", f"listen 127.0.0.1:{proxy.port}")
    temporary = "".join(
        f"{each}_temp_path {proxy.folder}/{each};\n"
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    config = proxy.put(
        "nginx.conf",
        f"daemon off;\nmaster_process off;\npid {proxy.folder}/pid;\n{user}"
        f"error_log {proxy.folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}{text}}}\n",
    )
    return ["nginx", "-c", config, "-e", proxy.folder / "error.log"]


def caddy(proxy: ReverseProxy, below: bool) -> list[str | Path]:
    """Write the configuration of Caddy, which gets no certificate from anybody here."""
    text = proxy.fill_in(recipe("caddy", int(below)))
    own = f"https://{NAME}:{proxy.port} {{\n    bind 127.0.0.1\n    tls {proxy.cert} {proxy.key}\n"
    text = text.replace(f"{NAME} {{\n", own, 1)
    config = proxy.put("Caddyfile", f"{{\n    admin off\n    auto_https off\n}}\n{text}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", config]


def traefik(proxy: ReverseProxy, below: bool) -> list[str | Path]:
    """Write the configuration of Traefik."""
    certificate = f'[[tls.certificates]]\ncertFile = "{proxy.cert}"\nkeyFile = "{proxy.key}"\n'
    routes = proxy.put("routes.toml", proxy.fill_in(recipe("toml", int(below))) + certificate)
    config = proxy.put(
        "traefik.toml",
        "[global]\ncheckNewVersion = false\nsendAnonymousUsage = false\n"
        f'[entryPoints.websecure]\naddress = "127.0.0.1:{proxy.port}"\n'
        f'[providers.file]\nfilename = "{routes}"\n',
    )
    return ["traefik", f"--configFile={config}"]


def haproxy(proxy: ReverseProxy, below: bool) -> list[str | Path]:
    """Write the configuration of HAProxy."""
    text = recipe("haproxy", 0)
    if below:
        deny = "    http-request deny"
        text = text.replace(deny, recipe("haproxy", 1) + deny, 1)
    return _haproxy(proxy, text)


def haproxy_tcp(proxy: ReverseProxy, below: bool) -> list[str | Path]:
    """Write the configuration of HAProxy as a balancer of TCP, with the PROXY protocol."""
    return _haproxy(proxy, recipe("haproxy", 2))


def _haproxy(proxy: ReverseProxy, text: str) -> list[str | Path]:
    both = proxy.folder / "live.pem"
    both.write_bytes(proxy.cert.read_bytes() + proxy.key.read_bytes())
    text = proxy.fill_in(text).replace("bind :443", f"bind 127.0.0.1:{proxy.port}")
    return ["haproxy", "-db", "-f", proxy.put("haproxy.cfg", text)]
