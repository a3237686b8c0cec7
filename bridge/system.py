"""Whether the service can run here: asked before anything else is imported.

The whole file has to be one that older Pythons can read.
"""

import importlib.util
import sys

PACKAGE = "panini"
"""Is installed along with all the others."""


def check() -> None:
    """Go on, or print why that is no use and exit with 2."""
    reason = fault()
    if reason:
        print(reason, file=sys.stderr)
        raise SystemExit(2)


def fault() -> str:
    """Return why the service cannot run here; nothing if it can."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        return f"Python 3.11 to 3.14 is needed, this is {sys.version.split()[0]}."
    if importlib.util.find_spec("resource") is None:  # there is none on Windows
        return "This runs on Linux and macOS. On Windows, use WSL 2 or Docker."
    if importlib.util.find_spec(PACKAGE) is None:
        return (
            "Its packages are not installed for this Python: start it with `make run`, or install "
            "them as docs/deploy.md says."
        )
    return ""
