"""The settings as flags of `main.py`, and the text that lists them; both from the one table."""

from __future__ import annotations

import argparse
import shutil
import textwrap
from typing import Any

from pydantic.fields import FieldInfo

from bridge.settings.derived import Settings
from bridge.settings.misspelt import did_you_mean
from bridge.settings.table import Table
from bridge.settings.value_types import is_boolean

GROUPS = {
    "nats_url": "NATS",
    "http_host": "This service",
    "allowed_origins": "Who may connect",
    "max_connections": "Limits",
    "log_level": "Logs",
    "allow_publish": "Publishing and requests",
    "history_subjects": "History",
}
"""The heading above each of these settings."""
LAST_LINES = (
    "true and false: --allow-anonymous or --no-allow-anonymous; ALLOW_ANONYMOUS=true",
    "also: --help, --version",
)
MIN_COLUMNS, MAX_COLUMNS = 40, 100
"""Columns of the text."""


class FlagError(Exception):
    """Flags that make no sense; says which, and never what was given with them."""


def read(arguments: list[str]) -> dict[str, Any]:
    """Return what is given by flags, by the names of the settings. Raises FlagError."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name, field in Settings.model_fields.items():
        options: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
        if is_boolean(field):
            parser.add_argument(f"--no-{_kebab(name)}", **options, action="store_false")
            options |= {"nargs": "?", "const": True}
        parser.add_argument(_flag(name), **options)
    try:
        given, unknown = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        if (error.argument_name or "").startswith("--no-"):
            raise FlagError(f"{error.argument_name}: it takes no value") from None
        raise FlagError(f"{error.argument_name}: its value is missing") from None
    if unknown:
        raise FlagError(_fault(unknown[0]))
    return vars(given)


def shown_default(field: FieldInfo) -> str:
    """Return the default of a setting as the help and the README have it."""
    if isinstance(field.default, tuple):
        return " ".join(field.default) or "none"
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return str(field.default or "") or "none"


def help_text() -> str:
    """Return what `--help` prints, as wide as the terminal allows."""
    width = min(max(shutil.get_terminal_size().columns, MIN_COLUMNS), MAX_COLUMNS)
    lines = ["usage: python main.py [--setting value] ...", ""]
    lines += textwrap.wrap(" ".join((Table.__doc__ or "").split()), width)
    for name, field in Settings.model_fields.items():
        if name in GROUPS:
            lines += ["", GROUPS[name]]
        lines.append(f"  {_flag(name)}, {name.upper()} (default: {shown_default(field)})")
        indent = " " * 6
        lines += textwrap.wrap(
            field.description or "",
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join([*lines, "", *LAST_LINES])


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _flag(name: str) -> str:
    return f"--{_kebab(name)}"


def _fault(argument: str) -> str:
    """Say what is wrong with an argument that is no flag; without its value, or all of it."""
    written = argument.partition("=")[0]
    flags = [_flag(name) for name in Settings.model_fields]
    meant = did_you_mean(f"--{_kebab(written.lower().lstrip('-'))}", flags, 0.6)
    if meant and (argument.startswith("--") or meant[2:] == _kebab(written.lower())):
        return f"{written} is not a flag: did you mean {meant}? --help lists every setting"
    if argument.startswith("--"):
        return f"{written} is not a flag; --help lists every setting"
    return "settings are given as in --http-port 8080; --help lists every setting"
