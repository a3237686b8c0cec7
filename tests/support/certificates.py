"""A certificate authority, and the files of the certificates it issues."""

from __future__ import annotations

from pathlib import Path

import trustme


class Authority:
    """A CA that nobody knows but who is given `ca`. Its files are in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._authority, self._folder = trustme.CA(), folder
        folder.mkdir()
        self.ca = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca))

    def issue(self, name: str) -> tuple[Path, Path]:
        """Return the paths of a certificate for `name`, a host or an address, and of its key."""
        cert, key = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        made = self._authority.issue_cert(name)
        made.cert_chain_pems[0].write_to_path(str(cert))
        made.private_key_pem.write_to_path(str(key))
        return cert, key

    def config(self, name: str = "127.0.0.1", *options: str) -> str:
        """Return the `tls` part of the configuration of a nats-server that goes by `name`."""
        cert, key = self.issue(name)
        files = f'cert_file: "{cert}"\nkey_file: "{key}"\nca_file: "{self.ca}"'
        return "\n".join(("tls {", files, *options, "}\n"))
