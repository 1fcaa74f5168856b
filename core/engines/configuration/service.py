"""Changing the configuration: the one door for screens, REST, files and the command line. All or nothing, one change after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.engines.configuration.changes import Change, ChangeSet, Draft, Item, ItemKey, Step
from core.engines.configuration.errors import ConfigRefused, ConfigStale, VersionUnknown
from core.engines.configuration.kinds import Impact, KindRegistry
from core.engines.configuration.models import CHANGED, ConfigHead, ConfigItem, ConfigVersion
from core.engines.configuration.queries import items_of, steps_of, versions_after
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows
from core.runtime.security import audit
from core.runtime.security.permissions import touch_rights
from core.runtime.tenancy.scope import require_scope

MAX_CHANGES = 2_000
MAX_NOTE = 500


def propose(session: Session, kinds: KindRegistry, changes: Iterable[Change]) -> tuple[ChangeSet, list[Impact]]:
    """What `changes` would come to, and what that does to stored data; nothing is changed.

    Raises: ConfigRefused - every wrong place at once, as `kind[key].path`; ConfigStale; KindUnknown.
    """
    made = _change_set(items_of(session), kinds, list(changes), _version(session))
    impacts: list[Impact] = []
    for step in made.steps:
        look = kinds.get(step.kind).impacts
        if look is not None:
            impacts += look(session, made, step)
    return made, impacts


def apply_changes(session: Session, kinds: KindRegistry, changes: Iterable[Change], *, note: str = "") -> ChangeSet:
    """Carry `changes` out together, as one version; wishes that change nothing make none. Does not commit.

    Raises: ConfigRefused, ConfigStale, KindUnknown - nothing is changed.
    """
    version = lock(session)
    made = _change_set(items_of(session), kinds, list(changes), version)
    if made.steps:
        _carry_out(session, kinds, made, note.strip()[:MAX_NOTE])
    return made


def roll_back(session: Session, kinds: KindRegistry, number: int) -> ChangeSet:
    """Bring back the configuration as it was at version `number`, as a new version. Raises VersionUnknown, ConfigRefused."""
    version = lock(session)
    if not 0 <= number <= version:
        raise VersionUnknown(number=number)
    draft = Draft({ItemKey(item.kind, item.key): item.body for item in items_of(session)})
    wanted, path = draft, []
    for row in versions_after(session, number):
        for step in reversed(steps_of(row)):
            path.append(step.inverse)
            wanted = wanted.after([step.inverse])
    problems = _checked(kinds, wanted)
    if problems:
        raise ConfigRefused(problems)
    # Every step back is taken, not only what they come to: what hangs on an item goes back with each name that the item had.
    made = ChangeSet(tuple(path), draft, wanted, version)
    if any(step.renamed_from for step in path) or any(draft.get(*key) != wanted.get(*key) for key in _touched(path)):
        _carry_out(session, kinds, made, f"← {number}")
        return made
    return ChangeSet((), draft, wanted, version)


def _touched(steps: Iterable[Step]) -> list[ItemKey]:
    """The items that steps are about, each once, under every name that they had."""
    named = (ItemKey(step.kind, key) for step in steps for key in (step.renamed_from, step.key) if key)
    return list(dict.fromkeys(named))


def undo(session: Session, kinds: KindRegistry, number: int) -> ChangeSet:
    """Take back what version `number` did, and nothing else. Raises VersionUnknown; ConfigStale - later versions changed the same."""
    version = lock(session)
    row = session.scalars(select(ConfigVersion).where(ConfigVersion.number == number)).one_or_none()
    if row is None:
        raise VersionUnknown(number=number)
    if number == version:
        return roll_back(session, kinds, number - 1)
    held = {ItemKey(item.kind, item.key): item.body for item in items_of(session)}
    wishes = []
    for step in steps_of(row):
        if held.get(ItemKey(step.kind, step.key)) != step.after:
            raise ConfigStale(kind=step.kind, key=step.key)
        back = step.inverse
        wishes.append(Change(back.kind, back.after, back.key, renamed_from=back.renamed_from))
    made = _change_set(items_of(session), kinds, wishes, version)
    if made.steps:
        _carry_out(session, kinds, made, f"↶ {number}")
    return made


def _version(session: Session) -> int:
    return session.scalar(select(ConfigHead.version)) or 0


def lock(session: Session) -> int:
    """Make sure that nobody else changes the configuration until this transaction ends; the present version."""
    found = session.scalar(select(ConfigHead.version).with_for_update())
    if found is None:
        insert_rows(session, ConfigHead, [{"version": 0}], on_conflict="ON CONFLICT (tenant_id) DO NOTHING")
        found = session.scalar(select(ConfigHead.version).with_for_update())
    return found or 0


def _change_set(items: Sequence[Item], kinds: KindRegistry, changes: Sequence[Change], version: int) -> ChangeSet:
    if len(changes) > MAX_CHANGES:
        raise ConfigRefused({"": f"At most {MAX_CHANGES} changes at once."})
    held = {ItemKey(item.kind, item.key): item for item in items}
    before = Draft({key: item.body for key, item in held.items()})
    problems: dict[str, str] = {}
    steps: dict[ItemKey, Step] = {}
    for change in changes:
        step = _step(held, kinds, change, problems)
        if step is None:
            continue
        place = ItemKey(step.kind, step.key)
        if place in steps:
            problems.setdefault(f"{step.kind}[{step.key}]", "This is named twice.")
        steps[place] = step
    if problems:
        raise ConfigRefused(problems)
    found = tuple(step for step in steps.values() if step.before != step.after or step.renamed_from)
    after = before.after(found)
    problems = _checked(kinds, after)
    if problems:
        raise ConfigRefused(problems)
    order = {kind.key: at for at, kind in enumerate(kinds)}
    return ChangeSet(tuple(sorted(found, key=lambda step: order[step.kind])), before, after, version)


def _step(held: Mapping[ItemKey, Item], kinds: KindRegistry, change: Change, problems: dict[str, str]) -> Step | None:
    kind = kinds.get(change.kind)
    body, key = None, change.key
    if change.body is not None:
        body, wrong = kind.read(change.body)
        shown = key or (kind.key_of(change.body) if isinstance(change.body, Mapping) else "")
        for problem in wrong:
            problems.setdefault(_place(kind.key, shown, problem.path), problem.message)
        if wrong:
            return None
        # A body that names another item than the one that is changed renames it.
        former, key = change.renamed_from or key, kind.key_of(body)
    else:
        former = ""
    old = former if former != key else ""
    source = held.get(ItemKey(kind.key, old or key))
    if old and (source is None or ItemKey(kind.key, key) in held or not kind.may_rename):
        problems.setdefault(_place(kind.key, key, ""), "It cannot take this name.")
        return None
    if change.base is not None and (source.version if source is not None else 0) != change.base:
        raise ConfigStale(kind=kind.key, key=key)
    return Step(kind.key, key, source.body if source is not None else None, body, renamed_from=old)


def _place(kind: str, key: str, path: str) -> str:
    return f"{kind}[{key}]" + (f".{path}" if path and not path.startswith("[") else path)


def _checked(kinds: KindRegistry, draft: Draft) -> dict[str, str]:
    problems: dict[str, str] = {}
    for kind in kinds:
        found = draft.of(kind.key)
        if len(found) > kind.limit:
            problems.setdefault(kind.key, f"At most {kind.limit} of these in one business.")
        if kind.check is None:
            continue
        for key, body in found.items():
            for problem in kind.check(draft, body):
                problems.setdefault(_place(kind.key, key, problem.path), problem.message)
    return problems


def _carry_out(session: Session, kinds: KindRegistry, made: ChangeSet, note: str) -> None:
    number, scope = made.version + 1, require_scope()
    touched = _touched(made.steps)
    for name in {key.kind for key in touched}:
        gone = [key.key for key in touched if key.kind == name and made.after.get(*key) is None]
        session.execute(
            delete(ConfigItem).where(ConfigItem.kind == name, ConfigItem.key.in_(gone)).execution_options(synchronize_session=False)
        )
    rows = [
        {"id": new_id(), "kind": key.kind, "key": key.key, "body": body, "version": number}
        for key in touched
        if (body := made.after.get(*key)) is not None
    ]
    insert_rows(
        session,
        ConfigItem,
        rows,
        on_conflict="ON CONFLICT (tenant_id, kind, key) DO UPDATE SET body = excluded.body, version = excluded.version, updated_at = now()",
    )
    version = {
        "id": new_id(),
        "number": number,
        "note": note,
        "changes": {"changes": [step.document() for step in made.steps]},
        "actor_kind": scope.actor.kind,
        "actor_id": scope.actor.id,
        "actor_label": scope.actor.label,
    }
    insert_rows(session, ConfigVersion, [version])
    session.execute(update(ConfigHead).values(version=number).execution_options(synchronize_session=False))
    touch_schema(session)
    for kind in kinds:
        if kind.follow is not None and any(step.kind == kind.key for step in made.steps):
            kind.follow(session, made)
    changes = {f"{step.kind}[{step.key}]": [_shown(step.before), _shown(step.after)] for step in made.steps[:50]}
    audit.record(session, "config.changed", "config", str(number), changes)


def touch_schema(session: Session) -> None:
    """Let every process compile the tenant's schema anew at its next request."""
    session.info[CHANGED] = True
    session.execute(update(ConfigHead).values(serial=ConfigHead.serial + 1).execution_options(synchronize_session=False))
    touch_rights(session)


def _shown(body: Mapping[str, Any] | None) -> Any:
    return None if body is None else dict(body)
