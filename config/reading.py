"""The one reader of settings: files and environment in, a checked `Settings` out."""

from __future__ import annotations

import base64
import binascii
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from config.schema import PREFIX, ROOT, Settings, settings_fields, variable_of
from core.kernel.errors import Invalid

MASTER_KEY_BYTES = 32
SECRET_KEY_CHARACTERS = 32
_YES = {"1", "true", "yes", "on"}
_NO = {"0", "false", "no", "off"}


class SettingsInvalid(Invalid):
    """The settings are not valid; `problems` has a sentence for each fault."""

    code = "settings.invalid"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings are not valid:\n" + "\n".join(f"- {problem}" for problem in problems), problems=problems)


def load_settings(environ: Mapping[str, str] | None = None, *, folder: Path = ROOT / "config", **overrides: Any) -> Settings:
    """Read the settings of this process.

    `environ` defaults to the process environment; `overrides` are values that win over everything, such as options of a
    command. Relative paths are resolved against the project's folder; an empty variable counts as unset. Raises
    SettingsInvalid with all faults at once: unknown names (the nearest known one is named), values of the wrong kind, and
    in production values that are not safe.
    """
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    given = _from_environment(environ, problems)
    environment = overrides.get("environment") or given.get("environment")
    values = _from_file(folder / "default.toml", problems)
    environment = environment or values.get("environment") or Settings.environment
    if environment in settings_fields()["environment"].metadata["choices"]:
        values |= _from_file(folder / f"{environment}.toml", problems)
    values |= given | overrides
    settings = _build(values, problems)
    if settings.is_production:
        problems += unsafe_values(settings)
    if problems:
        raise SettingsInvalid(problems)
    return settings


def unsafe_values(settings: Settings) -> list[str]:
    """What must not be so in production, one sentence each; empty when all is well."""
    rules = [
        (len(settings.secret_key) < SECRET_KEY_CHARACTERS, f"secret_key needs at least {SECRET_KEY_CHARACTERS} characters."),
        (len(set(settings.secret_key)) < 10, "secret_key is not random: make one with `oms settings --new-keys`."),
        (not settings.master_key, "master_key is missing: make one with `oms settings --new-keys`."),
        (settings.embeds_database, "database_url is missing; the embedded database is for development and trials."),
        (settings.embeds_queue, "queue_url is missing; the embedded Valkey is for development and trials."),
        (
            bool(settings.database_url) and settings.database_url == settings.database_owner_url,
            "database_url must not be the owner's address: row-level security does not hold the owner's role back in migrations.",
        ),
        (not settings.trusted_hosts or "*" in settings.trusted_hosts, "trusted_hosts must name the hosts people use."),
        (not settings.cookie_secure, "cookie_secure must be on."),
        (settings.log_level == "debug", "log_level must not be debug."),
        (any(pattern.startswith("*") for pattern in settings.egress_allow), "egress_allow must not open every private address."),
    ]
    return [sentence for is_unsafe, sentence in rules if is_unsafe]


def public_values(settings: Settings) -> dict[str, Any]:
    """All values for showing; of a secret only whether it is set."""
    secrets = {name for name, item in settings_fields().items() if item.metadata["secret"]}
    return {
        name: ("(set)" if value else "") if name in secrets else str(value) if isinstance(value, Path) else value
        for name, value in asdict(settings).items()
    }


def as_variables(values: Mapping[str, Any]) -> dict[str, str]:
    """Values as environment variables that `load_settings` reads back, for handing them to a child process."""
    return {
        variable_of(name): ",".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values.items()
    }


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    known = {variable_of(name): name for name in settings_fields()}
    values: dict[str, Any] = {}
    for variable in sorted(name for name, value in environ.items() if name.startswith(PREFIX) and value):
        if variable in known:
            values[known[variable]] = environ[variable]
        elif variable.removesuffix("_FILE") in known:
            _read_secret_file(variable, environ, values, problems)
        else:
            problems.append(f"{variable} is not a setting{_nearest(variable, known)}")
    return values


def _read_secret_file(variable: str, environ: Mapping[str, str], values: dict[str, Any], problems: list[str]) -> None:
    plain = variable.removesuffix("_FILE")
    if environ.get(plain):
        problems.append(f"{plain} and {variable} are both set; keep one.")
        return
    try:
        values[plain.removeprefix(PREFIX).lower()] = Path(environ[variable]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{variable} names a file that cannot be read: {error}.")


def _from_file(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path.name} is not valid TOML: {error}.")
        return {}
    for name in sorted(values.keys() - settings_fields().keys()):
        problems.append(f"{path.name}: {name} is not a setting{_nearest(name, settings_fields())}")
        del values[name]
    return values


def _build(values: Mapping[str, Any], problems: list[str]) -> Settings:
    kinds = get_type_hints(Settings)
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        try:
            parsed[name] = _parse(value, kinds[name])
            _check(name, parsed[name])
        except ValueError as error:
            parsed.pop(name, None)
            problems.append(f"{name} {error}.")
    for name in ("data_dir", "plugins_file"):
        parsed[name] = (ROOT / parsed.get(name, settings_fields()[name].default)).resolve()
    return Settings(**parsed)


def _parse(value: Any, kind: Any) -> Any:
    """Turn a text from the environment, or a value from TOML, into the setting's type; ValueError says what it must be."""
    if get_origin(kind) is tuple:
        parts = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, get_args(kind)[0]) for part in parts):
            raise ValueError("must be a list of texts")
        return tuple(parts)
    if kind is bool:
        text = str(value).strip().lower()
        if text not in _YES | _NO:
            raise ValueError("must be true or false")
        return text in _YES
    if kind is int:
        if isinstance(value, bool) or not str(value).strip().lstrip("-").isdigit():
            raise ValueError("must be a whole number")
        return int(value)
    if isinstance(value, str | Path):
        return kind(value)
    raise ValueError("must be a text")


def _check(name: str, value: Any) -> None:
    rules = settings_fields()[name].metadata
    if rules["choices"] and value not in rules["choices"]:
        raise ValueError(f"must be one of {', '.join(rules['choices'])}")
    if rules["least"] is not None and value < rules["least"]:
        raise ValueError(f"must be at least {rules['least']}")
    if name == "port" and value > 65535:
        raise ValueError("must be at most 65535")
    if name == "master_key" and value and not all(is_master_key(part) for part in value.replace(",", " ").split()):
        raise ValueError("must be id:key, the key being 32 bytes in base64 (`oms settings --new-keys` makes one)")


def is_master_key(text: str) -> bool:
    """Whether `text` is `id:key` with a key of the right size in base64."""
    name, _, encoded = text.partition(":")
    try:
        return bool(name) and len(base64.b64decode(encoded, altchars=b"-_", validate=True)) == MASTER_KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {found[0]}?" if found else "."
