"""How a screen changes the configuration: what the change does is shown first where it hurts, and what others did meanwhile is told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from flask import flash, redirect, render_template, request
from flask_babel import gettext

from core.delivery.api.config import present_kinds
from core.delivery.screens.customise_diff import name_of, shown_step
from core.delivery.screens.customise_words import FALLBACK_LABELS
from core.delivery.web.messages import in_words
from core.delivery.web.schema import forget_schema, whole_schema
from core.delivery.web.unit import db
from core.engines.configuration import Change, ConfigRefused, ConfigStale, Impact, apply_changes, propose
from core.engines.configuration.models import ConfigVersion
from core.engines.configuration.queries import steps_of, versions_after

#: Names in a posted form that belong to this way of asking, not to the change.
AGREED, BASE, NEW_BASE = "agreed", "base", "new_base"
_CONTROL = (AGREED, BASE, NEW_BASE, "csrf_token")


def base_posted() -> int | None:
    """The version of the item that whoever sent the form had seen."""
    text = request.form.get(BASE, "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


def carry_out(changes: Sequence[Change], *, title: str, done: str, back: str, note: str = "") -> Any:
    """Apply the changes and go to `done`; where they hide or lose something, ask first; where others were quicker, say who.

    Raises: ConfigRefused - for the form to tell beside its inputs.
    """
    try:
        made, impacts = propose(db(), present_kinds(), changes)
        asked = [one for one in impacts if one.level in ("warn", "bad") and one.count != 0]
        if asked and AGREED not in request.form:
            return confirm_page(title=title, impacts=impacts, back=back)
        if made.steps:
            made = apply_changes(db(), present_kinds(), changes, note=note)
    except ConfigStale as error:
        return stale_page(error, changes, title=title, back=back)
    forget_schema()
    flash(gettext("Saved. It is live at once.") if made.steps else gettext("Nothing has changed."), "success" if made.steps else "info")
    return redirect(done, 303)


def confirm_page(*, title: str, impacts: Iterable[Impact], back: str) -> Any:
    """What the change does to stored data, with the form once more behind a button."""
    return render_template(
        "pages/customise_confirm.html", title=title, impacts=shown_impacts(impacts), posted=_posted(), back=back, url=request.full_path
    )


def stale_page(error: ConfigStale, changes: Sequence[Change], *, title: str, back: str) -> Any:
    """Who changed what meanwhile, with the ways on: look again, or save all the same."""
    kind, key = str(error.facts.get("kind", "")), str(error.facts.get("key", ""))
    base = min((one.base for one in changes if one.base is not None), default=0)
    rows = [row for row in versions_after(db(), base) if any(_names(step, kind, key) for step in steps_of(row))]
    others = [_told(row, kind, key) for row in reversed(rows)]
    newest = rows[0].number if rows else 0
    page = render_template(
        "pages/customise_stale.html", title=title, others=others, posted=_posted(), base=newest, back=back, url=request.full_path
    )
    return page, error.status


def _names(step: Any, kind: str, key: str) -> bool:
    return step.kind == kind and key in (step.key, step.renamed_from)


def _told(row: ConfigVersion, kind: str, key: str) -> dict[str, Any]:
    steps = [shown_step(whole_schema(), step) for step in steps_of(row) if _names(step, kind, key)]
    return {"number": row.number, "who": row.actor_label, "at": row.changed_at, "note": row.note, "steps": steps}


def _posted() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.form.items(multi=True) if name not in _CONTROL]


def shown_impacts(impacts: Iterable[Impact]) -> list[dict[str, Any]]:
    """Impacts in the reader's language, the worst first."""
    order = {"bad": 0, "warn": 1, "info": 2}
    found = sorted(impacts, key=lambda one: order.get(one.level, 3))
    return [
        {"level": one.level, "message": in_words(one.message), "count": one.count, "name": _name(one)} for one in found if one.count != 0
    ]


def _name(impact: Impact) -> str:
    body = whole_schema().draft.get(impact.kind, impact.key) or {}
    return name_of(whole_schema(), impact.kind, impact.key, body)


def problems_of(error: ConfigRefused, kind: str, *keys: str) -> dict[str, str]:
    """The problems of one item, by any of its keys, under the path in its body; those of other items under the name of the item."""
    own = tuple(f"{kind}[{key}]" for key in keys)
    found: dict[str, str] = {}
    for place, message in error.problems.items():
        mine = next((one for one in own if place.startswith(one)), "")
        if mine:
            found[place.removeprefix(mine).removeprefix(".")] = message
        else:
            found[f"({place})"] = f"{_called(place)}: {in_words(message)}" if place else message
    return found


def _called(place: str) -> str:
    """What to call the item that a place such as `field[orders.order/cf_x].target` is in."""
    found = re.match(r"(\w+)\[([^\]]*)\]", place)
    if found is None:
        return place
    kind, key = found.groups()
    body = whole_schema().draft.get(kind, key) or {}
    return f"{gettext(FALLBACK_LABELS.get(kind, kind))} “{name_of(whole_schema(), kind, key, body)}”"
