"""The settings of one run: read and tried out, or the line that says which one is wrong."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bridge import __version__
from bridge.files import SettingError
from bridge.settings import flags, misspelt, nats_context, table
from bridge.settings.derived import Settings
from bridge.settings.dot_env import DotEnv
from bridge.settings.value_types import LogFormat, expected_value
from bridge.telemetry import events
from bridge.telemetry.logs import fail, tell

logger = logging.getLogger("bridge.settings")


def load(arguments: list[str]) -> Settings:
    """Read the settings; on a wrong one, print a line that names it and exit with 2.

    `--help` and `--version` are printed, and the exit is 0.
    """
    if {"-h", "--help", "--version"} & set(arguments):
        version = f"nats-websocket-bridge {__version__}"
        print(version if "--version" in arguments else flags.help_text())
        raise SystemExit(0)
    try:
        return _read(flags.read(arguments))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0])
        sentence = first["msg"].removeprefix("Value error, ")
        if first["type"] != "value_error":
            sentence = expected_value(Settings.model_fields[name])
        fault = f"{name.upper()}: {sentence}"
    except (flags.FlagError, SettingError) as error:
        fault = str(error)
    except UnicodeError:
        fault = ".env: it is not text in UTF-8"
    except OSError as error:
        name = Path(str(error.filename)).name.upper()
        fault = f"{name}: the file {error.filename} cannot be read: {error.strerror}"
    # What is missing may be there under a name that is misspelt.
    fail("; ".join([fault, *_misspelt_names()]), _log_format(arguments))


class _LogFormat(BaseSettings):
    """LOG_FORMAT alone, for when another setting is wrong."""

    model_config = Settings.model_config

    log_format: LogFormat = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, DotEnv(settings_cls)


def _log_format(arguments: list[str]) -> str:
    """Return LOG_FORMAT; empty if that is what is wrong."""
    given: dict[str, Any] = {}
    with suppress(flags.FlagError):
        given = flags.read(arguments)
    try:
        return _LogFormat(**{k: v for k, v in given.items() if k == "log_format"}).log_format
    except (ValidationError, OSError, UnicodeError):
        return ""


def warn_of_what_is_not_used(config: Settings) -> None:
    """Log names that were surely meant to be settings, and what is left out of a NATS context."""
    for sentence in [*_misspelt_names(), *nats_context.warnings(config.nats_context)]:
        logger.warning("%s", sentence)


def warn_of_wide_tokens(config: Settings) -> None:
    """Log that whatever the owner of the key signs, for whomever, opens everything here."""
    checked = config.jwt_audience or config.jwt_issuer
    if config.jwt_key and not checked and ">" in config.allow_subjects:
        tell(events.ANY_JWT_COUNTS)


def _read(given: dict[str, Any]) -> Settings:
    """Return the settings, those of the NATS context among them."""
    read = Settings(**given)
    if not read.nats_context:
        return _validated(read)
    more = nats_context.settings(read)
    try:
        return _validated(Settings(**{**given, **more}))
    except ValidationError:
        raise SettingError(nats_context.NAME, "its url is not that of a NATS server") from None
    except SettingError as error:
        setting = str(error).partition(":")[0]
        if setting.lower() not in nats_context.SETTINGS.values():
            raise
        raise SettingError(nats_context.NAME, f"as {setting}: {error.reason}") from None


def _validated(read: Settings) -> Settings:
    """Return `read` if the files that it names are of use; raises what says which one is not."""
    read.sign_in.check(read.nats_url)
    read.tokens(read.fetched_keys())
    read.proxy_sign_in()
    if read.tls:
        read.tls.context()
    return read


def _misspelt_names() -> list[str]:
    try:
        return misspelt.sentences(Settings.model_fields, misspelt.places(table.SECRETS))
    except (OSError, UnicodeError):
        return []  # what cannot be read has no names to look at
