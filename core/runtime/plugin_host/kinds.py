"""What can be contributed: every hook with the type of its descriptors, read from the specifications."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass, replace
from types import ModuleType
from typing import Any

from core.kernel.errors import OrderloomError
from core.runtime.plugin_host.markers import PROJECT

PREFIX = "register_"


class HookSpecWrong(OrderloomError):
    """A hook specification does not follow the rules; this is a defect of the core, found at start-up."""

    code = "plugin.hook_spec_wrong"


class ContributionWrong(OrderloomError):
    """A hook returned something that is not what its specification promises."""

    code = "plugin.contribution_wrong"


@dataclass(frozen=True, slots=True)
class HookKind:
    """One hook: `register_steps` has the kind `steps`; plugins return a list of `type`, or one when not `is_many`."""

    kind: str
    hook: str
    type: type
    is_many: bool
    doc: str


def kinds_of(modules: Iterable[ModuleType]) -> dict[str, HookKind]:
    """All hooks that the modules specify, by kind. Raises HookSpecWrong."""
    found: dict[str, HookKind] = {}
    for module in modules:
        for name, function in vars(module).items():
            if getattr(function, f"{PROJECT}_spec", None) is None:
                continue
            kind = _kind_from(name, function)
            if kind.kind in found:
                raise HookSpecWrong(f"Two packages specify {name}.")
            found[kind.kind] = kind
    return found


def _kind_from(name: str, function: Any) -> HookKind:
    if not name.startswith(PREFIX) or inspect.signature(function).parameters:
        raise HookSpecWrong(f"{name} must be called {PREFIX}<kind> and take no arguments.")
    promised = typing.get_type_hints(function).get("return")
    is_many = typing.get_origin(promised) is list
    item = typing.get_args(promised)[0] if is_many else promised
    if not isinstance(item, type) or not _is_frozen(item):
        raise HookSpecWrong(f"{name} must promise a frozen dataclass, or a list of one.")
    return HookKind(name.removeprefix(PREFIX), name, item, is_many, inspect.getdoc(function) or "")


def _is_frozen(item: type) -> bool:
    return is_dataclass(item) and bool(item.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def checked_items(kind: HookKind, plugin: str, returned: Any) -> list[Any]:
    """The descriptors that a plugin's hook returned, as a list.

    Raises: ContributionWrong - wrong type, a key without the plugin's name in front, or the same key twice.
    """
    given = returned if kind.is_many else [returned]
    if not isinstance(given, list | tuple):
        raise ContributionWrong(f"{kind.hook} must return a list of {kind.type.__name__}, not {type(returned).__name__}.")
    keys: set[str] = set()
    owned: list[Any] = []
    for item in given:
        if not isinstance(item, kind.type):
            raise ContributionWrong(f"{kind.hook} must return {kind.type.__name__}, not {type(item).__name__}.")
        owned.append(_signed(kind, plugin, item))
        key = getattr(item, "key", None)
        if key is None:
            continue
        if key != plugin and not key.startswith(f"{plugin}."):
            raise ContributionWrong(f'{kind.hook}: the key "{key}" must be "{plugin}" or start with "{plugin}.".')
        if key in keys:
            raise ContributionWrong(f'{kind.hook} gives the key "{key}" twice.')
        keys.add(key)
    return owned


def _signed(kind: HookKind, plugin: str, item: Any) -> Any:
    """The descriptor with its owner's name in `plugin`, if it has such a field."""
    named = getattr(item, "plugin", plugin)
    if named is None:
        return replace(item, plugin=plugin)
    if named != plugin:
        raise ContributionWrong(f'{kind.hook} signs for the plugin "{named}".')
    return item
