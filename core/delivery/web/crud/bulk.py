"""Actions on many records from a list, and the small form that some of them ask first.

A few chosen rows are done at once, within the request. "All that match", and more rows than that, become a bulk run: workers carry it out,
and its page shows how far it is and what became of each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from core.delivery.web import trail
from core.delivery.web.crud import forms
from core.delivery.web.crud.arguments import ListArguments
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.unit import db
from core.engines.metadata import queries
from core.engines.metadata.bulk import run_key, source_of
from core.engines.metadata.entity import Action
from core.engines.metadata.values import take
from core.kernel.errors import Denied, Invalid, NotFound, OrderloomError
from core.kernel.ids import new_id, parse_id
from core.runtime.events.bulk import start_run
from core.runtime.jobs.actions import ActionRegistry
from core.runtime.jobs.bulk import MAX_NAMED, RunRequest
from core.runtime.security.audit import AuditEntry

MAX_AT_ONCE = 200
SHOWN_REFUSALS = 5
COUNT_CAP = 1_000
EXTENSION = "oms.bulk"


def bulk_registry() -> ActionRegistry | None:
    """The bulk actions of the running application; None where nobody carries runs out."""
    found: ActionRegistry | None = current_app.extensions.get(EXTENSION)
    return found


def carry_out(view: Any) -> Any:
    """Answer the bulk bar: ask for what the action needs, then carry it out on the chosen rows, or start a run over all that match."""
    action: Action | None = view.entity.action(request.form.get("action", ""))
    if action is None:
        raise NotFound
    if not can(action.permission):
        raise Denied
    arguments: ListArguments = view.posted_arguments()
    is_all = request.form.get("scope") == "all" and not action.needs_names and bulk_registry() is not None
    named = [] if is_all else [found for text in request.form.getlist("pk") if (found := parse_id(text)) is not None]
    ids = queries.visible_ids(db(), view.entity, named) if len(named) <= MAX_NAMED else named
    if is_all and arguments.problems:
        raise Invalid("A filter of the list was not understood, so nothing was done.", field=arguments.problems[0].key)
    if not ids and not is_all:
        flash(gettext("Choose at least one row."), "warning")
        return redirect(_list_url(view, arguments))
    limit = MAX_AT_ONCE if action.needs_names or bulk_registry() is None else MAX_NAMED
    if len(ids) > limit:
        raise Invalid("Too many rows at once.", field="pk")
    form = forms.form_class(action.fields, lookup_url=view.lookup_url, prefix="p.")()
    if "go" not in request.form and (action.fields or is_all):
        return _ask(view, action, form, ids, arguments)
    raw: dict[str, Any] = {}
    params: dict[str, Any] = {}
    if action.fields:
        try:
            raw = forms.raw_values(form, action.fields, zone=view.zone(), is_new=True, prefix="p.")
            params = take(db(), view.registry, action.fields, raw, is_new=True)
            if action.check is not None:
                action.check(params)
        except Invalid as error:
            view.show_error(form, error, prefix="p.")
            return _ask(view, action, form, ids, arguments), 422
    if is_all or len(ids) > MAX_AT_ONCE:
        return _start(view, action, ids, raw, arguments)
    try:
        outcomes = action.apply(db(), ids, params)
    except Invalid as error:
        if not action.fields:
            raise
        view.show_error(form, error, prefix="p.")
        return _ask(view, action, form, ids, arguments), 422
    _tell(action, outcomes, queries.titles(db(), view.entity, [key for key, error in outcomes.items() if error is not None]))
    return redirect(_back_url(view, ids, arguments))


def _start(view: Any, action: Action, ids: Sequence[UUID], raw: Mapping[str, Any], arguments: ListArguments) -> Any:
    registry = bulk_registry()
    if registry is None:
        raise NotFound
    wanted = RunRequest(
        action=run_key(view.entity, action),
        params=raw,
        ids=ids or None,
        source=None if ids else source_of(arguments.query),
        request_key=request.form.get("request_key", "")[:64] or None,
    )
    run = start_run(db(), wanted, registry)
    return redirect(url_for("BulkRunView.show", pk=run))


def _tell(action: Action, outcomes: Mapping[UUID, OrderloomError | None], names: Mapping[UUID, str]) -> None:
    done = sum(1 for error in outcomes.values() if error is None)
    if done:
        flash(gettext(action.label) + ": " + ngettext("%(num)s row done.", "%(num)s rows done.", done), "success")
    refused = {key: error for key, error in outcomes.items() if error is not None}
    for key, error in list(refused.items())[:SHOWN_REFUSALS]:
        flash(f"{names.get(key, str(key)[-6:])}: {in_words(error.message)}", "danger")
    if len(refused) > SHOWN_REFUSALS:
        rest = len(refused) - SHOWN_REFUSALS
        flash(ngettext("%(num)s more row was refused.", "%(num)s more rows were refused.", rest), "danger")


def _back_url(view: Any, ids: Sequence[UUID], arguments: ListArguments) -> str:
    """Where the reader came from: the record's own page, or the list."""
    if request.form.get("back") == "record" and len(ids) == 1:
        return url_for(f"{view.endpoint}.show", pk=ids[0])
    return _list_url(view, arguments)


def _list_url(view: Any, arguments: ListArguments) -> str:
    return url_for(f"{view.endpoint}.list") + arguments.address()


def _ask(view: Any, action: Action, form: Any, ids: Sequence[UUID], arguments: ListArguments) -> Any:
    number, is_capped = (len(ids), False) if ids else queries.count(db(), view.entity, arguments.query, now=view.now())
    names = queries.titles(db(), view.entity, ids) if action.needs_names or len(ids) == 1 else {}
    return render_template(
        "kit/action.html",
        title=gettext(action.label),
        action=action,
        form=form,
        ids=ids,
        names=[names[key] for key in ids if key in names],
        number=number,
        is_capped=is_capped,
        query=arguments.raw,
        request_key=request.form.get("request_key") or new_id().hex,
        url=url_for(f"{view.endpoint}.bulk"),
        back=_back_url(view, ids, arguments),
        from_record=request.form.get("back") == "record",
    )


def timeline_entry(entry: AuditEntry) -> dict[str, Any]:
    """An entry of the audit trail as the timeline shows it."""
    kinds = {"user": "person", "token": "person", "plugin": "plugin"}
    return {
        "at": entry.occurred_at,
        "actor": entry.actor_label,
        "actor_kind": kinds.get(entry.actor_kind, "system"),
        "icon": "history",
        "kind": "neutral",
        "text": trail.action_of(entry),
        "changes": trail.changes_of(entry),
        "note": "",
        "files": [],
    }
