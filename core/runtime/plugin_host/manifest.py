"""The manifest of a plugin, read and checked without importing the plugin (docs/reference/manifest.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from core.runtime.plugin_host.errors import ManifestInvalid
from core.runtime.plugin_host.quality import MIN_REASON, RULES

# The version of Orderloom that plugins name in `core`; the one in pyproject.toml, as a contract test proves.
CORE_VERSION = "0.1.0"
MANIFEST_NAME = "plugin.toml"
ID_PATTERN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
HOST_PATTERN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?")
SCOPES = ("platform", "tenant")
INSTANCES = ("single", "many")
IN_FLIGHT = ("drain", "park")
CATEGORIES = ("channel", "fulfilment", "finance", "customers", "workflow", "analytics", "notification", "files", "developer", "other")
MAX_ID = 32
RESERVED = ("core", "platform")

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls that one tenant may make to one host: `per_s` on average, `burst` at once."""

    per_s: float
    burst: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a plugin says about itself.

    `core` is a range of Orderloom's versions. `requires` must be enabled before it, `after` only orders. `settings` is `module:Schema`,
    the module inside the plugin. `egress` are hosts it may talk to (`*.` in front covers sub-domains), `egress_from_settings` fields
    whose address adds one; with `egress_by_tenant` people may allow further ones on the plugin's pages. `data_classes` maps a kind of
    personal data to the wire names that hold it; `quality` a rule to "" (done) or the reason of an exemption. `localized` maps a language
    to its `title` and `summary`. `warnings` are complaints that do not keep it from loading.
    """

    id: str
    version: str
    title: str
    core: str
    summary: str = ""
    category: str = "other"
    icon: str = "puzzle"
    scope: str = "tenant"
    instances: str = "single"
    mandatory: bool = False
    requires: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    egress: tuple[str, ...] = ()
    egress_from_settings: tuple[str, ...] = ()
    egress_by_tenant: bool = False
    quota: Mapping[str, Quota] = field(default_factory=lambda: _NOTHING)
    settings: str = ""
    tables: tuple[str, ...] = ()
    locales: tuple[str, ...] = ("en",)
    in_flight: str = "drain"
    data_classes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _NOTHING)
    quality: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    localized: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: _NOTHING)
    warnings: tuple[str, ...] = ()

    @property
    def personal_fields(self) -> frozenset[str]:
        """Wire names that hold personal data, lower case."""
        return frozenset(name.lower() for names in self.data_classes.values() for name in names)


def fits(version: str, wanted: str) -> bool:
    """Whether `version` lies in the range `wanted` (`>=1,<2`); an empty range takes all."""
    return SpecifierSet(wanted).contains(Version(version), prereleases=True)


def read_manifest(path: Path) -> Manifest:
    """The manifest in the TOML file `path`.

    Raises: ManifestInvalid - with every problem found, each naming its key.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestInvalid([f"{path.name} is not valid TOML: {error}"]) from error
    except OSError as error:
        raise ManifestInvalid([f"{path.name} cannot be read: {error.strerror}"]) from error
    return manifest_from(raw)


def manifest_from(raw: Mapping[str, Any]) -> Manifest:
    """The manifest that the plain values `raw` describe. Raises ManifestInvalid."""
    problems = [f'"{name}" is missing' for name in ("id", "version", "title", "core") if name not in raw]
    known = {item.name for item in fields(Manifest)} - {"warnings"}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in known:
            continue
        try:
            values[name] = _READERS[name](value)
        except _Refused as refused:
            problems.append(f'"{name}" {refused}')
    if not problems:
        problems += _contradictions(values)
    if problems:
        raise ManifestInvalid(problems)
    manifest = Manifest(**values)
    warnings = [_unknown(name, "key", known) for name in raw if name not in known]
    warnings += [_unknown(rule, "quality rule", RULES) for rule in manifest.quality if rule not in RULES]
    return replace(manifest, warnings=tuple(warnings))


def _unknown(name: str, what: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f'"{name}" is not a known {what}' + (f'; did you mean "{close[0]}"?' if close else "")


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    problems: list[str] = []
    own, prefix = values["id"], f"plg_{values['id']}_"
    problems += [f'"tables": "{table}" must start with "{prefix}"' for table in values.get("tables", ()) if not table.startswith(prefix)]
    problems += [f'"{name}" names the plugin itself' for name in ("requires", "after") if own in values.get(name, ())]
    if values.get("egress_from_settings") and not values.get("settings"):
        problems.append('"egress_from_settings" needs "settings"')
    if values.get("mandatory") and values.get("settings"):
        problems.append('"mandatory" plugins run without settings, so "settings" cannot be given')
    return problems


class _Refused(Exception):
    """Says why one value is refused; the key is put in front by the caller."""


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Refused(f"must be text, not {value!r}")
    return value.strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Refused(f"must be true or false, not {value!r}")
    return value


def _id(value: Any) -> str:
    text = _text(value)
    if not ID_PATTERN.fullmatch(text) or len(text) > MAX_ID:
        raise _Refused(f"must be lower-case words joined by underscores, at most {MAX_ID} characters, not {text!r}")
    if text in RESERVED:
        raise _Refused(f"{text!r} is taken by Orderloom itself")
    return text


def _version(value: Any) -> str:
    try:
        return str(Version(_text(value)))
    except InvalidVersion:
        raise _Refused(f"must be a version such as 1.4.0, not {value!r}") from None


def _range(value: Any) -> str:
    try:
        return str(SpecifierSet(_text(value)))
    except InvalidSpecifier:
        raise _Refused(f'must be a version range such as ">=1,<2", not {value!r}') from None


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise _Refused(f"must be one of {', '.join(choices)}, not {value!r}")
        return str(value)

    return read


def _list_of(read: Callable[[Any], str]) -> Callable[[Any], tuple[str, ...]]:
    def read_all(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple):
            raise _Refused(f"must be a list, not {value!r}")
        return tuple(dict.fromkeys(read(item) for item in value))

    return read_all


def _host(value: Any) -> str:
    text = _text(value).lower()
    if not HOST_PATTERN.fullmatch(text):
        raise _Refused(f"must hold host names without scheme or path, not {value!r}")
    return text


def _quota(value: Any) -> Mapping[str, Quota]:
    if not isinstance(value, Mapping):
        raise _Refused("must be a table of hosts")
    quotas: dict[str, Quota] = {}
    for host, limits in value.items():
        per_s = limits.get("per_s") if isinstance(limits, Mapping) else None
        if isinstance(per_s, bool) or not isinstance(per_s, int | float) or per_s <= 0:
            raise _Refused(f"needs a positive per_s for {host}")
        burst = limits.get("burst", max(1, round(per_s)))
        if not isinstance(burst, int) or burst < 1:
            raise _Refused(f"needs a whole burst of at least 1 for {host}")
        quotas[_host(host)] = Quota(float(per_s), burst)
    return MappingProxyType(quotas)


def _data_classes(value: Any) -> Mapping[str, tuple[str, ...]]:
    if isinstance(value, list):
        return MappingProxyType({_text(name): () for name in value})
    if not isinstance(value, Mapping):
        raise _Refused("must be a table: kind of data = [wire names]")
    return MappingProxyType({str(name): _list_of(_text)(names) for name, names in value.items()})


def _quality(value: Any) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise _Refused("must be a table of rules")
    stated: dict[str, str] = {}
    for rule, answer in value.items():
        if answer == "done":
            stated[rule] = ""
            continue
        reason = answer.get("exempt") if isinstance(answer, Mapping) else None
        if not isinstance(reason, str) or len(reason.strip()) < MIN_REASON:
            raise _Refused(f'must say "done" or {{ exempt = "the reason" }} for {rule}')
        stated[rule] = reason.strip()
    return MappingProxyType(stated)


def _localized(value: Any) -> Mapping[str, Mapping[str, str]]:
    if not isinstance(value, dict):
        raise _Refused('must be tables such as [localized.zh] with "title" and "summary"')
    found: dict[str, Mapping[str, str]] = {}
    for language, words in value.items():
        is_fit = re.fullmatch("[a-z]{2,3}", language) and isinstance(words, dict) and set(words) <= {"title", "summary"}
        if not is_fit or not all(isinstance(text, str) and text.strip() for text in words.values()):
            raise _Refused('must be tables such as [localized.zh] with "title" and "summary"')
        found[language] = dict(words)  # the row that keeps the manifest takes plain tables
    return MappingProxyType(found)


_texts = _list_of(_text)
_READERS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "version": _version,
    "title": _text,
    "core": _range,
    "summary": _text,
    "category": _one_of(*CATEGORIES),
    "icon": _text,
    "scope": _one_of(*SCOPES),
    "instances": _one_of(*INSTANCES),
    "mandatory": _flag,
    "requires": _list_of(_id),
    "after": _list_of(_id),
    "libraries": _texts,
    "permissions": _texts,
    "egress": _list_of(_host),
    "egress_from_settings": _texts,
    "egress_by_tenant": _flag,
    "quota": _quota,
    "settings": _text,
    "tables": _texts,
    "locales": _texts,
    "in_flight": _one_of(*IN_FLIGHT),
    "data_classes": _data_classes,
    "quality": _quality,
    "localized": _localized,
}
