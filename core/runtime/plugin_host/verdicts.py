"""What a finished call of a plugin means: for its caller, for the journal, for the plugin's problems and for its breaker."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import structlog

from core.kernel.errors import Denied, OrderloomError
from core.runtime.plugin_host.breaker_rules import HOOK_RULE
from core.runtime.plugin_host.breakers import Breakers, Target
from core.runtime.plugin_host.containment import Attempt, frames, placed
from core.runtime.plugin_host.errors import HostNotAllowed, Overrun, PluginFailed, PluginSlow, TransactionGuarded
from core.runtime.plugin_host.journal import CallRecord, Journal, Who
from core.runtime.plugin_host.problems import Problem
from core.runtime.tenancy.scope import ScopeChanged, ScopeMissing
from core.runtime.tenancy.session import ForeignRow

NEEDS_REAUTH = "credentials"
_TALKING = ("marketplaces", "lifecycle", "subscribers", "schedules")
# Errors of the host about what a plugin did; never an answer that the plugin meant.
DEFECTS = (TransactionGuarded, ForeignRow, ScopeChanged, ScopeMissing, HostNotAllowed)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """What is called: a kind (`steps`, `lifecycle`) and a name within it. Without `trips`, failures do not make the host rest it."""

    kind: str
    name: str
    trips: bool = True

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended. With `error` there is no value: a refusal that the plugin meant, or one of ours about the plugin."""

    value: Any = None
    error: OrderloomError | None = None
    elapsed_s: float = 0.0

    @property
    def is_ok(self) -> bool:
        return self.error is None

    def unwrap(self) -> Any:
        """The value; raises the error when there is none."""
        if self.error is not None:
            raise self.error
        return self.value

    def unwrap_raw(self) -> Any:
        """The value; raises what the plugin itself raised, for callers that judge errors on their own."""
        if isinstance(self.error, PluginFailed) and isinstance(self.error.__cause__, Exception):
            raise self.error.__cause__
        return self.unwrap()


def _needs_sign_in(plugin: str, site: Site, error: Denied) -> bool:
    """Whether the remote side refused the plugin, rather than the plugin or the core a user: it says so, or it is the plugin's own
    refusal in a place where no user acts.
    """
    return getattr(error, "park", False) or (site.kind in _TALKING and error.code.startswith(f"{plugin}."))


class Verdicts:
    """Judges calls. Safe for threads."""

    def __init__(self, journal: Journal, breakers: Breakers) -> None:
        self._journal = journal
        self._breakers = breakers
        self._troubled: set[tuple[Who, str]] = set()
        self._lock = Lock()

    def judge(self, who: Who, site: Site, record: CallRecord, tried: Attempt[Any], *, is_late: bool, was_probe: bool) -> Outcome:
        """Note the call and say what its caller gets.

        Errors that a plugin raises on purpose are answers, not defects: they reach the caller as they are. Anything else becomes
        `PluginFailed`, leaves a problem, and counts towards resting the plugin; so does taking too long.
        """
        error = None if tried.error is None else self._as_ours(who, site, tried.error)
        is_defect = isinstance(error, (PluginFailed, PluginSlow, *DEFECTS))
        outcome = "failed" if is_defect else "refused" if error is not None else "slow" if is_late else "ok"
        self._journal.note(who, replace(record, outcome=outcome, code=error.code if error is not None else ""), keep=outcome != "ok")
        if is_defect or is_late:
            self._went_wrong(who, site, error, record)
        else:
            self._went_well(who, site, was_probe=was_probe)
        if isinstance(error, Denied) and not is_defect and _needs_sign_in(who.plugin, site, error):
            facts = {"site": str(site), "code": error.code}
            self._journal.report(who, Problem(NEEDS_REAUTH, "plugin.needs_reauth", facts=facts, fix="reconnect"))
        return Outcome(None if error is not None else tried.value, error, record.elapsed_s)

    def _as_ours(self, who: Who, site: Site, error: BaseException) -> OrderloomError:
        if isinstance(error, OrderloomError):
            return error
        if isinstance(error, Overrun):
            return PluginSlow(plugin=who.plugin, site=str(site))
        _log.warning("plugin.failed", tenant=who.tenant_slug, plugin=who.plugin, site=str(site), error=placed(error), frames=frames(error))
        failed = PluginFailed(plugin=who.plugin, site=str(site), error=type(error).__name__)
        failed.__cause__ = error
        return failed

    def _went_wrong(self, who: Who, site: Site, error: OrderloomError | None, record: CallRecord) -> None:
        if error is None or isinstance(error, PluginSlow):
            facts: dict[str, Any] = {"site": str(site), "elapsed_ms": record.elapsed_ms}
            problem = Problem(f"slow:{site}", "plugin.call_slow", "warning", facts)
        else:
            facts = {"site": str(site), "error": placed(error.__cause__ or error)}
            problem = Problem(f"failed:{site}", "plugin.call_failed", "error", facts, subject=record.subject)
        self._journal.report(who, problem)
        with self._lock:
            self._troubled.add((who, str(site)))
        if site.trips:
            self._breakers.failed(Target(who, str(site)), HOOK_RULE)

    def _went_well(self, who: Who, site: Site, *, was_probe: bool) -> None:
        with self._lock:
            was_troubled = (who, str(site)) in self._troubled
            self._troubled.discard((who, str(site)))
        if was_troubled:
            self._journal.resolve(who, f"failed:{site}")
            self._journal.resolve(who, f"slow:{site}")
        if site.trips:
            self._breakers.succeeded(Target(who, str(site)), HOOK_RULE, was_probe=was_probe)
