"""A set-up's settings through their life: draft, test, activate, compare, go back. Nothing here commits.

Versions are never changed once saved; secrets are shared between versions until one is replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from core.runtime.plugin_host.calls import AsideCall
from core.runtime.plugin_host.enablement import bump_epoch
from core.runtime.plugin_host.errors import InstanceNameInvalid, InstanceUnknown, StateForbids
from core.runtime.plugin_host.forms import FormField, load_values, options_function, storable
from core.runtime.plugin_host.instances import MAIN, find_config, find_instance, get_config, get_instance, newest_version
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.models import PluginConfig, PluginInstance
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.secrets import keep_secret, read_secrets
from core.runtime.plugin_host.verdicts import NEEDS_REAUTH, Site
from core.runtime.security.audit import CHANGED, record
from core.runtime.tenancy.scope import require_scope

TEST_BUDGET_S = 20.0
OPTIONS_BUDGET_S = 3.0
SUBJECT = "plugin"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class TestResult:
    """How a connection test ended. `message` is what the plugin reports, such as the account's name; `code` an error's."""

    is_ok: bool
    message: str = ""
    code: str = ""
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that differs between two versions. Secrets show as `changed` only."""

    field: str
    old: Any
    new: Any


def subject_of(row: PluginInstance) -> str:
    """What the audit trail calls a set-up."""
    return f"{row.plugin}:{row.instance}"


def set_up(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN, title: str = "") -> PluginInstance:
    """The set-up of the plugin under that name, made as a draft when there is none yet; the row is locked.

    Names are lower-case letters, digits and hyphens, at most 40. Raises: PluginUnknown, PluginNotUsable; InstanceNameInvalid;
    InstanceUnknown - the plugin can be set up once only, and that one is called `main`.
    """
    row = find_instance(session, plugin, instance, is_locked=True)
    if row is not None:
        return row
    if not NAME_PATTERN.fullmatch(instance):
        raise InstanceNameInvalid(field="instance", name=instance)
    loaded = runtime.host.plugin(plugin)
    if loaded.manifest.instances == "single" and instance != MAIN:
        raise InstanceUnknown(plugin=plugin, instance=instance)
    row = PluginInstance(plugin=plugin, instance=instance, title=title or loaded.manifest.title, state="draft", mode="", health="ok")
    session.add(row)
    session.flush()
    record(session, "plugin.set_up", SUBJECT, subject_of(row))
    return row


def save_draft(
    session: Session,
    runtime: PluginRuntime,
    plugin: str,
    values: Mapping[str, Any],
    *,
    instance: str = MAIN,
    clear: Sequence[str] = (),
    note: str = "",
) -> PluginConfig:
    """Check the settings with the plugin's own schema and save them as a new version that is not active yet.

    Secrets stand among `values`; one left out, None or empty stays as it is in the newest version, unless `clear` names it. Saving what the
    newest version says already returns that version.
    Raises: ConfigInvalid - `errors` by field, nothing is saved; StateForbids - the plugin has no settings.
    """
    loaded = runtime.host.plugin(plugin)
    if loaded.schema is None:
        raise StateForbids("no_settings", plugin=plugin)
    row = set_up(session, runtime, plugin, instance=instance)
    newest = newest_version(session, row)
    kept = {name: value for name, value in read_secrets(session, row, newest).items() if name not in clear}
    given = {name: value for name, value in values.items() if name not in loaded.secret_names}
    fresh = {name: str(values[name]) for name in loaded.secret_names if values.get(name)}
    typed = load_values(loaded.schema, {**given, **kept, **fresh})
    stored = storable(loaded.schema, typed, given)
    fresh = {name: value for name, value in fresh.items() if kept.get(name) != value}
    same_secrets = not fresh and set(newest.secrets if newest is not None else ()) == set(kept)
    if newest is not None and same_secrets and newest.values == stored:
        return newest
    references = {name: kept_id for name, kept_id in (newest.secrets if newest is not None else {}).items() if name in kept}
    references |= {name: str(keep_secret(session, row, name, value).id) for name, value in fresh.items()}
    config = PluginConfig(
        instance_id=row.id,
        version=1 if newest is None else newest.version + 1,
        values=stored,
        secrets=references,
        plugin_version=loaded.manifest.version,
        author=require_scope().actor.label,
        note=note,
        test_message="",
    )
    session.add(config)
    session.flush()
    record(session, "plugin.config_saved", SUBJECT, subject_of(row), {"version": [None, config.version], **_trail(newest, config)})
    return config


def check_connection(
    session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN, version: int | None = None
) -> TestResult:
    """Let the plugin prove that a version of its settings (the newest, unless given) works; the result is kept with the version.

    Talks to the outside for up to 20 s, so use a unit of work that has written nothing else. The plugin gets no database session.
    """
    row = get_instance(session, plugin, instance)
    config = newest_version(session, row) if version is None else get_config(session, row, version)
    function = runtime.host.plugin(plugin).lifecycle.check_connection
    if function is None:
        return TestResult(is_ok=True)
    context = runtime.context(session, plugin, instance=instance, version=config.version if config is not None else None)
    context = replace(context, session=None)
    call = AsideCall(_who(plugin, instance), Site("lifecycle", "check_connection", trips=False), function)
    [outcome] = runtime.calls.aside([call], lambda _session, _who: context, budget_s=TEST_BUDGET_S)
    said = outcome.value if isinstance(outcome.value, str) else ""
    message = said if outcome.error is None else outcome.error.message
    result = TestResult(outcome.is_ok, message[:500], "" if outcome.error is None else outcome.error.code, outcome.elapsed_s)
    if config is not None:
        config.tested_at, config.is_test_ok, config.test_message = runtime.clock.now(), result.is_ok, result.message
    if result.is_ok:
        runtime.journal.resolve(_who(plugin, instance), NEEDS_REAUTH)
    record(session, "plugin.connection_tested", SUBJECT, subject_of(row), {"is_ok": [None, result.is_ok]})
    return result


def activate(
    session: Session,
    runtime: PluginRuntime,
    plugin: str,
    *,
    instance: str = MAIN,
    version: int | None = None,
    is_test_needed: bool = True,
) -> PluginConfig:
    """Make a version (the newest, unless given) the one in force; every process uses it within five seconds.

    Raises: StateForbids - there is none, or the plugin can test its connection and this version has not passed; ConfigInvalid - it does not
    fit the plugin's present schema. Emits: `plugin.configured`.
    """
    row = get_instance(session, plugin, instance, is_locked=True)
    config = newest_version(session, row) if version is None else get_config(session, row, version)
    if config is None:
        raise StateForbids("no_settings", plugin=plugin)
    loaded = runtime.host.plugin(plugin)
    if is_test_needed and loaded.lifecycle.check_connection is not None and not config.is_test_ok:
        raise StateForbids("untested", plugin=plugin, version=config.version)
    runtime.contexts.open_settings(session, loaded, row, config)
    if row.active_version == config.version:
        return config
    former = find_config(session, row, row.active_version)
    row.active_version, config.activated_at = config.version, runtime.clock.now()
    session.flush()
    changes = {"version": [None if former is None else former.version, config.version], **_trail(former, config)}
    record(session, "plugin.config_activated", SUBJECT, subject_of(row), changes)
    bump_epoch(session)
    payload = {"plugin": plugin, "instance": instance, "old": None if former is None else former.version, "new": config.version}
    runtime.options.announce(session, "plugin.configured", payload)
    return config


def roll_back(session: Session, runtime: PluginRuntime, plugin: str, version: int, *, instance: str = MAIN) -> PluginConfig:
    """Put an earlier version in force again, tested or not. Raises VersionUnknown, ConfigInvalid. Emits: `plugin.configured`."""
    return activate(session, runtime, plugin, instance=instance, version=version, is_test_needed=False)


def differences(older: PluginConfig | None, newer: PluginConfig | None) -> list[Difference]:
    """What changed from `older` to `newer`, by field; a missing version counts as empty."""
    before, after = (config.values if config is not None else {} for config in (older, newer))
    found = [
        Difference(name, before.get(name), after.get(name)) for name in sorted({*before, *after}) if before.get(name) != after.get(name)
    ]
    sealed, resealed = (config.secrets if config is not None else {} for config in (older, newer))
    return found + [Difference(name, CHANGED, CHANGED) for name in sorted({*sealed, *resealed}) if sealed.get(name) != resealed.get(name)]


def field_options(session: Session, runtime: PluginRuntime, plugin: str, field: str, *, instance: str = MAIN) -> list[tuple[str, str]]:
    """The choices that the plugin offers for a field now, as (value, label); empty when it cannot say in time.

    It is asked with the newest committed settings, so that a draft's credentials already serve.
    """
    loaded = runtime.host.plugin(plugin)
    function = options_function(loaded.schema, field) if loaded.schema is not None else None
    if function is None:
        return []
    row = find_instance(session, plugin, instance)
    newest = newest_version(session, row) if row is not None else None
    version = newest.version if newest is not None else None
    call = AsideCall(_who(plugin, instance), Site("options", field), lambda ctx: _pairs(function(ctx)))
    [outcome] = runtime.calls.aside(
        [call],
        lambda own, who: runtime.context(own, who.plugin, instance=who.instance, version=version),
        budget_s=OPTIONS_BUDGET_S,
    )
    return outcome.value if outcome.is_ok else []


def _pairs(offered: Any) -> list[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in offered]


def _who(plugin: str, instance: str) -> Who:
    scope = require_scope()
    return Who(scope.tenant_id, scope.slug, plugin, instance)


def _trail(older: PluginConfig | None, newer: PluginConfig) -> dict[str, Any]:
    """The changes for the audit trail; secrets never stand in it."""
    return {
        found.field: CHANGED if found.old == CHANGED and found.new == CHANGED else [found.old, found.new]
        for found in differences(older, newer)
    }


def filled_form(form: Sequence[FormField], config: PluginConfig | None) -> list[FormField]:
    """The form's fields, each with the `value` that the version holds, or its default; secrets never have one."""
    values = config.values if config is not None else {}
    return [{**entry} if entry["secret"] else {**entry, "value": values.get(entry["name"], entry.get("default"))} for entry in form]
