"""Calling a plugin's page or endpoint: with its own context, isolated, timed, and with what it raises told apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask import current_app
from werkzeug.exceptions import HTTPException

from core.delivery.web.unit import db
from core.runtime.plugin_host.context import PluginContext
from core.runtime.plugin_host.errors import PluginFailed
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.turnstile import Turnstile
from core.runtime.plugin_host.verdicts import DEFECTS, Site
from core.runtime.tenancy.scope import require_scope

T = TypeVar("T")
RUNTIME = "oms.plugins"
TURNSTILE = "oms.turnstile"


@dataclass(frozen=True, slots=True)
class _Stopped:
    """The page ended itself with an answer of Flask's, which is no failure."""

    error: HTTPException


def plugin_runtime() -> PluginRuntime:
    """The plugins at work in this application."""
    return cast("PluginRuntime", current_app.extensions[RUNTIME])


def in_time(plugin: str, function: Callable[[], T]) -> T:
    """Call `function`, which runs code of the plugin in this request's thread. Raises PluginBusy, PluginSlow."""
    turnstile: Turnstile = current_app.extensions[TURNSTILE]
    return turnstile.pass_through(plugin, function)


def call_page(plugin: str, site: Site, function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call `function(ctx, **arguments)` of a plugin in the request's transaction and return its answer.

    Errors of the five kinds, and Flask's own, come out as they are; anything else as PluginFailed, with a problem on the plugin's page, and
    without its cause, whose text may hold what nobody may log.
    Raises also PluginBusy, PluginSlow.
    """

    def run(ctx: PluginContext) -> Any:
        try:
            return function(ctx, **arguments)
        except HTTPException as error:
            return _Stopped(error)

    runtime = plugin_runtime()
    instances = runtime.enablement.view(require_scope().tenant_id).instances_at_work(plugin)
    outcome = in_time(plugin, lambda: runtime.call(db(), plugin, site, run, instance=next(iter(instances), "main")))
    if isinstance(outcome.error, (PluginFailed, *DEFECTS)):
        raise PluginFailed(plugin=plugin, site=str(site)) from None
    answer = outcome.unwrap()
    if isinstance(answer, _Stopped):
        raise answer.error
    return answer
