"""Actions on many records from a list, and the small form that some of them ask first."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from core.delivery.web.crud import forms
from core.delivery.web.identity import can
from core.delivery.web.unit import db
from core.engines.metadata.entity import Action
from core.engines.metadata.values import take
from core.kernel.errors import Denied, Invalid, NotFound
from core.kernel.ids import parse_id
from core.runtime.security.audit import AuditEntry

MAX_AT_ONCE = 200
SHOWN_REFUSALS = 5


def carry_out(view: Any) -> Any:
    """Answer the bulk bar: ask for what the action needs, then carry it out on the chosen rows."""
    action: Action | None = view.entity.action(request.form.get("action", ""))
    if action is None:
        raise NotFound
    if not can(action.permission):
        raise Denied
    ids = [found for text in request.form.getlist("pk") if (found := parse_id(text)) is not None]
    if not ids:
        flash(gettext("Choose at least one row."), "warning")
        return redirect(url_for(f"{view.endpoint}.list"))
    if len(ids) > MAX_AT_ONCE:
        raise Invalid("Too many rows at once.", field="pk")
    params: dict[str, Any] = {}
    if action.fields:
        form = forms.form_class(action.fields, lookup_url=view.lookup_url, prefix="p.")()
        if "go" not in request.form:
            return _ask(view, action, form, ids)
        raw = forms.raw_values(form, action.fields, zone=view.zone(), is_new=True, prefix="p.")
        try:
            params = take(db(), view.registry, action.fields, raw, is_new=True)
        except Invalid as error:
            view.show_error(form, error, prefix="p.")
            return _ask(view, action, form, ids), 422
    outcomes = action.apply(db(), ids, params)
    done = sum(1 for error in outcomes.values() if error is None)
    if done:
        flash(gettext(action.label) + ": " + ngettext("%(num)s row done.", "%(num)s rows done.", done), "success")
    refused = {key: error for key, error in outcomes.items() if error is not None}
    for key, error in list(refused.items())[:SHOWN_REFUSALS]:
        flash(f"{str(key)[-6:]}: {gettext(error.message)}", "danger")
    return redirect(url_for(f"{view.endpoint}.list"))


def _ask(view: Any, action: Action, form: Any, ids: list[Any]) -> Any:
    return render_template(
        "kit/action.html", title=gettext(action.label), action=action, form=form, ids=ids, url=url_for(f"{view.endpoint}.bulk")
    )


def timeline_entry(entry: AuditEntry) -> dict[str, Any]:
    """An entry of the audit trail as the timeline shows it."""
    changes = [
        {"label": name, "old": pair[0], "new": pair[1]} for name, pair in entry.changes.items() if isinstance(pair, list) and len(pair) == 2
    ]
    kinds = {"user": "person", "token": "person", "plugin": "plugin"}
    return {
        "at": entry.occurred_at,
        "actor": entry.actor_label,
        "actor_kind": kinds.get(entry.actor_kind, "system"),
        "icon": "history",
        "kind": "neutral",
        "text": gettext(entry.action),
        "changes": changes,
        "note": "",
        "files": [],
    }
