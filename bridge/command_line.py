"""The settings of one run: read and tried out, or the line that says which one is wrong."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError

from bridge.logs import fail
from bridge.reread import FileFault
from bridge.setting_types import LogFormat
from bridge.settings import Settings
from bridge.sign_in import SignInError
from bridge.tls import TLSError


def load(arguments: list[str]) -> Settings:
    """Read the settings; on a wrong one, say a line that names it and exit with 2."""
    try:
        settings = Settings(_cli_parse_args=arguments)  # type: ignore[call-arg]
        settings.sign_in.check(settings.nats_url)
        settings.tokens()
        if settings.tls:
            settings.tls.context()
        return settings
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]).upper().replace("-", "_")
        fault = f"{name}: {first['msg'].removeprefix('Value error, ')}"
    except (SignInError, TLSError, FileFault) as error:
        fault = str(error)
    except SettingsError as error:
        fault = f"{_without_values(str(error), arguments)}; --help lists every setting"
    except OSError as error:
        name = Path(str(error.filename)).name.upper()
        fault = f"{name}: the file {error.filename} cannot be read: {error.strerror}"
    fail(fault, _log_format(arguments))


class _LogFormat(BaseSettings):
    """LOG_FORMAT alone, for when another setting is wrong."""

    model_config = Settings.model_config | {"cli_ignore_unknown_args": True}

    log_format: LogFormat = ""


def _log_format(arguments: list[str]) -> str:
    """Return LOG_FORMAT; empty if that is what is wrong."""
    try:
        return _LogFormat(_cli_parse_args=arguments).log_format  # type: ignore[call-arg]
    except (ValidationError, SettingsError, OSError):
        return ""


def _without_values(text: str, arguments: list[str]) -> str:
    """Hide what was given with flags, such as a password with one that is misspelt."""
    for argument in arguments:
        value = argument.partition("=")[2] if argument.startswith("--") else argument
        if value:
            text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", "…", text)
    return text
