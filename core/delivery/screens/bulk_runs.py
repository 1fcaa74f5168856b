"""The page of a bulk run: how far it is, what became of each row, stopping it, and trying the failed rows again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext, ngettext

from core.delivery.web.crud.addressing import view_name
from core.delivery.web.crud.bulk import bulk_registry
from core.delivery.web.identity import can
from core.delivery.web.schema import present_schema
from core.delivery.web.theme import cells, grid
from core.delivery.web.unit import db
from core.engines.metadata import EntityType, queries
from core.kernel.errors import Conflict, Denied, NotFound
from core.kernel.ids import parse_id
from core.kernel.messages import N_
from core.runtime.events.bulk import cancel, retry_failed
from core.runtime.jobs.actions import ActionUnknown
from core.runtime.jobs.bulk import find_run, run_rows
from core.runtime.jobs.models import BulkRun, BulkRunRow
from core.runtime.security.permissions import MEMBER

PAGE = 50
RUN_STATES = {
    "expanding": ("progress", "refresh", N_("Being filled")),
    "running": ("progress", "refresh", N_("Running")),
    "done": ("ok", "check", N_("Done")),
    "cancelled": ("neutral", "ban", N_("Stopped")),
}
ROW_STATES = {
    "waiting": ("neutral", "clock", N_("Waiting")),
    "done": ("ok", "check", N_("Done")),
    "refused": ("warn", "ban", N_("Refused")),
    "failed": ("bad", "circle-x", N_("Failed")),
    "cancelled": ("neutral", "player-stop", N_("Left out")),
}


class BulkRunView(BaseView):
    """Bulk runs. Who may carry the action out, or may see jobs, sees its runs."""

    route_base = "/bulk-runs"
    default_view = "show"
    class_permission_name = "BulkRunView"
    permission_keys: ClassVar[Mapping[str, str]] = {"show": MEMBER}

    @expose("/<pk>/", methods=["GET"])
    @has_access
    def show(self, pk: str) -> Any:
        """The page, or for htmx its bar alone."""
        run = _run(pk)
        shown = _shown(run)
        status_url = url_for("BulkRunView.show", pk=pk)
        if request.headers.get("HX-Request"):
            part = make_response(render_template("pages/_bulk_progress.html", run=shown, status_url=status_url))
            if shown["state"] != "running":
                part.headers["HX-Refresh"] = "true"  # the run has just ended: show its rows and their outcome
            return part
        state = request.args.get("state", "")
        state = state if state in ROW_STATES else ""
        return render_template("pages/bulk_run.html", run=shown, status_url=status_url, tabs=_tabs(run, state), grid=_rows(run, state))

    @expose("/<pk>/cancel", methods=["POST"])
    @has_access
    @permission_name("show")
    def cancel(self, pk: str) -> Any:
        """Stop the run; what is done stays done."""
        run = _run(pk, to_act=True)
        if cancel(db(), run.id):
            flash(gettext("Stopped. What was done stays done."), "success")
        else:
            flash(gettext("The run had ended already."), "warning")
        return redirect(url_for("BulkRunView.show", pk=pk))

    @expose("/<pk>/retry", methods=["POST"])
    @has_access
    @permission_name("show")
    def retry(self, pk: str) -> Any:
        """A new run over the rows that failed; with `refused`, also over those that were refused, whose cause may be gone by now."""
        run, registry = _run(pk, to_act=True), bulk_registry()
        if registry is None:
            raise NotFound
        try:
            states = ("failed", "refused") if "refused" in request.form else ("failed",)
            again = retry_failed(db(), run.id, registry, states=states)
        except Conflict as error:
            flash(gettext(error.message), "warning")
            return redirect(url_for("BulkRunView.show", pk=pk))
        return redirect(url_for("BulkRunView.show", pk=again))


def run_title(run: BulkRun) -> str:
    """What the run does, for people."""
    registry = bulk_registry()
    if registry is None or run.action not in registry.actions:
        return run.action
    entity = _entity(run)
    label = gettext(registry.actions[run.action].title)
    return f"{label} · {gettext(entity.label_plural)}" if entity is not None else label


def _entity(run: BulkRun) -> EntityType | None:
    return present_schema().find(run.action.rpartition(".")[0])


def _may(run: BulkRun) -> bool:
    registry = bulk_registry()
    try:
        return registry is not None and can(registry.get(run.action).permission)
    except ActionUnknown:
        return False


def _run(pk: str, *, to_act: bool = False) -> BulkRun:
    found = parse_id(pk)
    if found is None:
        raise NotFound
    run = find_run(db(), found)
    if not _may(run) and (to_act or not can("jobs.read")):
        raise Denied
    return run


def _shown(run: BulkRun) -> dict[str, Any]:
    may, pk, entity = _may(run), str(run.id), _entity(run)
    stop = grid.Action(
        gettext("Stop"), url_for("BulkRunView.cancel", pk=pk), "player-stop", method="post", confirm=gettext("Stop this run?")
    )
    failed, left = run.failed, run.failed + run.refused
    again_url = url_for("BulkRunView.retry", pk=pk)
    words = ngettext("Try %(num)s failed row again", "Try %(num)s failed rows again", failed)
    again = grid.Action(words, again_url, "refresh", method="post")
    words = ngettext("Try %(num)s failed or refused row again", "Try %(num)s failed or refused rows again", left)
    again_all = grid.Action(words, again_url, "refresh", method="post", fields={"refused": "1"})
    back = url_for(f"{view_name(entity.key)}.list") if entity is not None and can(f"{entity.area}.read") else ""
    return {
        "title": run_title(run),
        "who": run.actor.get("label", ""),
        "started_at": run.created_at,
        "done": run.done + run.refused + run.failed + run.cancelled,
        "total": run.total,
        "ok": run.done,
        "refused": run.refused,
        "failed": run.failed,
        "skipped": run.cancelled,
        "state": "running" if run.state in ("expanding", "running") else run.state,
        "cancel": stop if may else None,
        "retry": again if may and failed else None,
        "retry_all": again_all if may and run.refused else None,
        "back_url": back,
    }


def _tabs(run: BulkRun, active: str) -> Sequence[grid.Tab]:
    numbers = {"done": run.done, "refused": run.refused, "failed": run.failed, "cancelled": run.cancelled}
    base = url_for("BulkRunView.show", pk=run.id)
    tabs = [grid.Tab("", gettext("All"), base, not active, count=f"{run.total:,}")]
    for state, number in numbers.items():
        kind, _icon, word = ROW_STATES[state]
        if number or state == active:
            tabs.append(grid.Tab(state, gettext(word), f"{base}?state={state}", state == active, kind, f"{number:,}"))
    return tabs


def _rows(run: BulkRun, state: str) -> grid.Grid:
    after = parse_id(request.args.get("after", ""))
    found = run_rows(db(), run.id, state=state, after=after, limit=PAGE + 1)
    following = url_for("BulkRunView.show", pk=run.id, state=state or None, after=found[PAGE - 1].id) if len(found) > PAGE else ""
    entity = _entity(run)
    names = queries.titles(db(), entity, [row.subject_id for row in found]) if entity is not None else {}
    heads = [
        grid.Column("record", gettext(entity.label) if entity is not None else gettext("Record")),
        grid.Column("state", gettext("Outcome"), "states"),
        grid.Column("why", gettext("What happened"), "wide"),
    ]
    may_open = entity is not None and can(f"{entity.area}.read")
    rows = [_row(row, names.get(row.subject_id, "–"), entity if may_open else None) for row in found[:PAGE]]
    empty = grid.Empty("hourglass", gettext("No rows yet"), gettext("Rows appear here as soon as a worker has looked at them."))
    pager = grid.Pager(1 if rows and after is None else 0, len(rows), next_url=following)
    return grid.Grid(heads, rows, pager=pager, id="outcome", caption=gettext("Outcome"), empty=empty)


def _row(row: BulkRunRow, name: str, entity: EntityType | None) -> grid.Row:
    kind, icon, word = ROW_STATES[row.state]
    url = url_for(f"{view_name(entity.key)}.show", pk=row.subject_id) if entity is not None else ""
    why = gettext(row.message) if row.message else cells.DASH
    return grid.Row(str(row.id), name, [cells.link(url, name), cells.badge(kind, icon, gettext(word)), why])
