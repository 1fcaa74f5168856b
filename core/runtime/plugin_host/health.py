"""How a set-up feels: what the plugin says, what its problems say, what its breakers say; the worst of it is shown."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.runtime.plugin_host.breakers import open_targets
from core.runtime.plugin_host.calls import AsideCall
from core.runtime.plugin_host.descriptors import Health
from core.runtime.plugin_host.instances import MAIN, get_instance
from core.runtime.plugin_host.journal import Who
from core.runtime.plugin_host.models import PluginInstance, PluginProblem
from core.runtime.plugin_host.problems import open_problems
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.verdicts import NEEDS_REAUTH, Site
from core.runtime.tenancy.scope import require_scope

HEALTH_BUDGET_S = 5.0
EXPIRES_SOON_S = 3 * 86_400
QUIET_AFTER = timedelta(hours=24)


def refresh_health(session: Session, runtime: PluginRuntime, plugin: str, *, instance: str = MAIN) -> PluginInstance:
    """Ask an enabled set-up how it feels and store the answer: ok, retrying, needs_reauth, degraded or breaker_open.

    Troubles with calls that have not come back for a day are closed first. The plugin has five seconds and no database session that keeps
    anything. The row is flushed, not committed.
    """
    row = get_instance(session, plugin, instance)
    _close_quiet_problems(session, runtime, row)
    said = _asked(runtime, row)
    row.health, row.health_message = _worst(session, row, said)
    row.health_at = runtime.clock.now()
    session.flush()
    return row


def _asked(runtime: PluginRuntime, row: PluginInstance) -> Health:
    loaded = runtime.host.loaded.get(row.plugin)
    if loaded is None:
        return Health("down", "The plugin's code cannot be used.")
    if loaded.lifecycle.health is None:
        return Health()
    scope = require_scope()
    who = Who(scope.tenant_id, scope.slug, row.plugin, row.instance)
    call = AsideCall(who, Site("lifecycle", "health", trips=False), loaded.lifecycle.health)
    [outcome] = runtime.call_aside([call], budget_s=HEALTH_BUDGET_S)
    if outcome.error is not None:
        return Health("down", outcome.error.message)
    return outcome.value if isinstance(outcome.value, Health) else Health()


def _worst(session: Session, row: PluginInstance, said: Health) -> tuple[str, str]:
    """The state to show and the sentence that goes with it."""
    problems = open_problems(session, row.plugin, instance=row.instance)
    if any(problem.key == NEEDS_REAUTH for problem in problems):
        return "needs_reauth", "Someone has to sign in again."
    resting = open_targets(session, row.plugin)
    if resting:
        return "breaker_open", f"Calls to {', '.join(breaker.target for breaker in resting)} rest for a while."
    if said.state != "ok":
        return "degraded", said.message
    if said.expires_in_s is not None and said.expires_in_s < EXPIRES_SOON_S:
        return "degraded", "The credentials expire soon."
    if any(problem.severity in ("error", "critical") for problem in problems):
        return "degraded", ""
    return ("retrying", "") if problems else ("ok", said.message)


def _close_quiet_problems(session: Session, runtime: PluginRuntime, row: PluginInstance) -> None:
    now = runtime.clock.now()
    session.execute(
        update(PluginProblem)
        .where(
            PluginProblem.plugin == row.plugin,
            PluginProblem.instance == row.instance,
            PluginProblem.resolved_at.is_(None),
            PluginProblem.code.in_(("plugin.call_failed", "plugin.call_slow", "plugin.worker_died")),
            PluginProblem.last_seen < now - QUIET_AFTER,
        )
        .values(resolved_at=now)
        .execution_options(synchronize_session=False)
    )
