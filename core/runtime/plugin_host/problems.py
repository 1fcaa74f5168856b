"""Problems: what is wrong with a plugin of a tenant until someone or something mends it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.runtime.plugin_host.models import PluginProblem

Severity = Literal["info", "warning", "error", "critical"]
KEPT_SUBJECTS = 50
CRITICAL_COUNT = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `key` tells repeats from new trouble; `code` and `facts` make the sentence the user reads.

    `fix` names what mends it: reconnect, configure, retry, or empty when only waiting helps. `subject` is the thing touched (`order:…`).
    `facts` never hold secrets or personal data.
    """

    key: str
    code: str
    severity: Severity = "error"
    facts: Mapping[str, Any] = field(default_factory=dict)
    fix: str = ""
    subject: str = ""
    count: int = 1


def report(session: Session, plugin: str, problem: Problem, *, instance: str = "main") -> bool:
    """Note a problem; the same key again counts up, keeps the latest subjects, and opens it again if it was resolved.

    An error that came a hundred times without being resolved becomes critical. Returns whether it was not open before.
    """
    subjects = [problem.subject] if problem.subject else []
    row = insert(PluginProblem).values(
        plugin=plugin,
        instance=instance,
        key=problem.key,
        severity=problem.severity,
        code=problem.code,
        facts=dict(problem.facts),
        fix=problem.fix,
        count=problem.count,
        affected=problem.count if subjects else 0,
        subjects=subjects,
    )
    is_open, new = PluginProblem.resolved_at.is_(None), row.excluded
    total = case((is_open, PluginProblem.count + new.count), else_=new.count)
    others = func.array_remove(PluginProblem.subjects, literal(problem.subject))
    stored = session.execute(
        row.on_conflict_do_update(
            index_elements=["tenant_id", "plugin", "instance", "key"],
            set_={
                "severity": case(((new.severity == "error") & (total >= CRITICAL_COUNT), "critical"), else_=new.severity),
                "code": new.code,
                "facts": new.facts,
                "fix": new.fix,
                "count": total,
                "affected": case((is_open, PluginProblem.affected + new.affected), else_=new.affected),
                "subjects": case(
                    (is_open, func.trim_array(new.subjects.op("||")(others), _surplus(others, len(subjects)))), else_=new.subjects
                ),
                "first_seen": case((is_open, PluginProblem.first_seen), else_=func.clock_timestamp()),
                "last_seen": func.clock_timestamp(),
                "resolved_at": None,
            },
        ).returning(PluginProblem.count)
    )
    return bool(stored.scalar_one() == problem.count)


def _surplus(others: Any, added: int) -> Any:
    return func.greatest(func.cardinality(others) + added - KEPT_SUBJECTS, 0)


def resolve(session: Session, plugin: str, key: str, *, instance: str | None = None) -> int:
    """Close the problem; returns how many were open. A key that ends in `*` closes all that start alike."""
    statement = update(PluginProblem).where(PluginProblem.plugin == plugin, PluginProblem.resolved_at.is_(None))
    if instance is not None:
        statement = statement.where(PluginProblem.instance == instance)
    if key.endswith("*"):
        statement = statement.where(PluginProblem.key.startswith(key[:-1], autoescape=True))
    else:
        statement = statement.where(PluginProblem.key == key)
    closed = session.execute(
        statement.values(resolved_at=func.clock_timestamp()).returning(PluginProblem.id).execution_options(synchronize_session=False)
    )
    return len(closed.all())


def open_problems(session: Session, plugin: str | None = None, *, instance: str | None = None) -> list[PluginProblem]:
    """Problems that nobody has resolved, worst and latest first."""
    worst = case({"critical": 0, "error": 1, "warning": 2}, value=PluginProblem.severity, else_=3)
    statement = select(PluginProblem).where(PluginProblem.resolved_at.is_(None)).order_by(worst, PluginProblem.last_seen.desc())
    if plugin is not None:
        statement = statement.where(PluginProblem.plugin == plugin)
    if instance is not None:
        statement = statement.where(PluginProblem.instance == instance)
    return list(session.scalars(statement))
