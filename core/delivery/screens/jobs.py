"""The jobs page of a tenant: what waits and runs, what was given up and why, with replay and drop; and the bulk runs of late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext, ngettext

from core.delivery.screens.bulk_runs import RUN_STATES, run_title
from core.delivery.web.identity import can
from core.delivery.web.theme import cells, grid
from core.delivery.web.unit import db
from core.kernel.errors import NotFound
from core.kernel.ids import parse_id
from core.kernel.messages import N_
from core.runtime.events import queries, service
from core.runtime.events.queries import DeadCause, DeliveryFilter, DeliveryRow
from core.runtime.jobs.bulk import runs

PAGE = 50
RUNS = "runs"
STATES = {
    "dead": ("bad", "circle-x", N_("Given up")),
    "pending": ("neutral", "clock", N_("Waiting")),
    "running": ("progress", "refresh", N_("Running")),
    "unknown": ("warn", "help", N_("Answer lost")),
    "parked": ("warn", "player-pause", N_("Parked")),
    "done": ("ok", "check", N_("Done")),
    "skipped": ("neutral", "player-skip-forward", N_("Skipped")),
}
SHOWN = ("dead", "pending", "running", "unknown", "parked")
_STEPS = {
    "replay": (service.replay, "dead", N_("Sent once more")),
    "drop": (service.skip, "dead", N_("Dropped")),
    "park": (service.park, "pending", N_("Set aside")),
    "resume": (service.resume, "parked", N_("Taken up again")),
}


class JobsView(BaseView):
    """Deliveries of the tenant; whoever may write can send them again, drop them, set them aside and take them up."""

    route_base = "/jobs"
    default_view = "list"
    class_permission_name = "JobsView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": "jobs.read", "act": "jobs.write"}

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """The numbers, the causes of what was given up, and the deliveries of one state."""
        session, state = db(), request.args.get("state", "")
        totals: dict[str, int] = dict.fromkeys(SHOWN, 0)
        for row in queries.open_counts(session):
            totals[row.state] = totals.get(row.state, 0) + row.number
        if state not in STATES and state != RUNS:
            state = "dead" if totals["dead"] else "pending"
        return render_template(
            "pages/jobs.html",
            title=gettext("Jobs"),
            head=None,
            stats=_stats(totals),
            tabs=_tabs(state, totals),
            causes=[_cause(cause) for cause in queries.dead_causes(session)] if state == "dead" else None,
            tools=None,
            grid=_runs() if state == RUNS else _deliveries(state),
        )

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    @permission_name("list")
    def show(self, pk: str) -> Any:
        """One delivery: what happened, who was to hear of it, every attempt's outcome."""
        found = parse_id(pk)
        if found is None:
            raise NotFound
        delivery, event = queries.delivery_with_event(db(), found)
        error = delivery.last_error or {}
        fields = [
            (gettext("State"), _state(delivery.state)),
            (gettext("Task"), cells.code(delivery.subscriber)),
            (gettext("Event"), cells.code(event.kind)),
            (gettext("About"), f"{event.subject_type} {event.subject_id}"),
            (gettext("Happened"), cells.moment(event.occurred_at)),
            (gettext("Attempts"), cells.number(delivery.attempts)),
            (gettext("Next attempt"), cells.moment(delivery.next_at) if delivery.state == "pending" else cells.DASH),
            (gettext("Error"), cells.code(error.get("code"))),
            (gettext("What happened"), error.get("message") or cells.DASH),
        ]
        return render_template(
            "kit/show.html",
            title=delivery.subscriber,
            head={
                "primary": _button("replay", gettext("Send again"), "refresh", {"pk": pk}) if delivery.state == "dead" else None,
                "more": [_button("drop", gettext("Drop"), "trash", {"pk": pk}, kind="bad")] if delivery.state == "dead" else [],
                "crumbs": [{"label": gettext("Jobs"), "url": url_for("JobsView.list", state=delivery.state)}],
                "states": [_badge(delivery.state)],
            },
            panels=[{"title": "", "fields": [{"label": label, "value": value, "wide": False} for label, value in fields]}],
            related=[],
            events=[],
            side=[],
            notices=[],
            neighbours=None,
        )

    @expose("/act", methods=["POST"])
    @has_access
    @permission_name("act")
    def act(self) -> Any:
        """Do something to chosen deliveries (`pk`), or to all dead ones of a cause (`subscriber` and `code`)."""
        step = _STEPS.get(request.form.get("action", ""))
        if step is None:
            raise NotFound
        change, state, said = step
        ids = [found for text in request.form.getlist("pk") if (found := parse_id(text)) is not None]
        subscriber = request.form.get("subscriber", "")
        if subscriber and not ids:
            wanted = DeliveryFilter(state=state, subscriber=subscriber, error_code=request.form.get("code"))
            ids = queries.matching_ids(db(), wanted)
        changed: Any = change(db(), ids) if ids else 0
        number = changed if isinstance(changed, int) else len(changed)
        flash(gettext(said) + ": " + ngettext("%(num)s job", "%(num)s jobs", number), "success" if number else "warning")
        return redirect(url_for("JobsView.list", state=state))


def _button(action: str, label: str, icon: str, fields: Mapping[str, str], *, kind: str = "") -> grid.Action | None:
    if not can("jobs.write"):
        return None
    question = gettext("Drop these jobs for good? What they were to do will not happen.") if kind == "bad" else ""
    return grid.Action(
        label, url_for("JobsView.act"), icon, method="post", confirm=question, kind=kind, fields={"action": action, **fields}
    )


def _badge(state: str) -> tuple[str, str, str]:
    kind, icon, word = STATES[state]
    return kind, icon, gettext(word)


def _state(state: str) -> Any:
    return cells.badge(*_badge(state))


def _stats(totals: Mapping[str, int]) -> Sequence[dict[str, Any]]:
    found = []
    for state in SHOWN:
        kind, icon, word = _badge(state)
        url = url_for("JobsView.list", state=state)
        found.append(
            {"label": word, "value": totals[state], "url": url, "kind": kind if totals[state] else "neutral", "icon": icon, "hint": ""}
        )
    return found


def _tabs(active: str, totals: Mapping[str, int]) -> Sequence[grid.Tab]:
    tabs = [
        grid.Tab(
            state,
            gettext(STATES[state][2]),
            url_for("JobsView.list", state=state),
            state == active,
            count=str(totals[state]) if state in totals else None,
        )
        for state in STATES
    ]
    return [*tabs, grid.Tab(RUNS, gettext("Bulk runs"), url_for("JobsView.list", state=RUNS), active == RUNS)]


def _cause(cause: DeadCause) -> dict[str, Any]:
    which = {"subscriber": cause.subscriber, "code": cause.code}
    return {
        "text": gettext(cause.message) if cause.message else cause.code or gettext("The job ended without saying why."),
        "count": cause.number,
        "subscriber": cause.subscriber,
        "first_at": cause.first_at,
        "last_at": cause.last_at,
        "sample_url": url_for("JobsView.show", pk=cause.sample),
        "replay": _button("replay", gettext("Send all again"), "refresh", which),
        "drop": _button("drop", gettext("Drop all"), "trash", which, kind="bad"),
    }


def _deliveries(state: str) -> grid.Grid:
    before = parse_id(request.args.get("before", ""))
    rows = queries.deliveries(db(), DeliveryFilter(state=state), before=before, limit=PAGE + 1)
    following = url_for("JobsView.list", state=state, before=rows[PAGE - 1].id) if len(rows) > PAGE else ""
    heads = [
        grid.Column("task", gettext("Task")),
        grid.Column("kind", gettext("Event")),
        grid.Column("state", gettext("State"), "states"),
        grid.Column("about", gettext("About"), on_card=False),
        grid.Column("attempts", gettext("Attempts"), "num", on_card=False),
        grid.Column("at", gettext("Happened")),
        grid.Column("error", gettext("What happened"), "wide"),
    ]
    return grid.Grid(
        heads,
        [_delivery(row) for row in rows[:PAGE]],
        pager=grid.Pager(1 if rows and before is None else 0, min(len(rows), PAGE), next_url=following),
        id="jobs",
        caption=gettext("Jobs"),
        show_url=url_for("JobsView.show", pk="__pk__").replace("__pk__", grid.KEY),
        bulk=_bulk(state),
        empty=grid.Empty("circle-check", gettext("Nothing here"), gettext("No job is in this state.")),
    )


def _bulk(state: str) -> grid.Bulk | None:
    offered = {
        "dead": [
            grid.Action(gettext("Send again"), key="replay", icon="refresh"),
            grid.Action(gettext("Drop"), key="drop", icon="trash", kind="bad"),
        ],
        "pending": [grid.Action(gettext("Set aside"), key="park", icon="player-pause")],
        "unknown": [grid.Action(gettext("Set aside"), key="park", icon="player-pause")],
        "parked": [grid.Action(gettext("Take up again"), key="resume", icon="player-play")],
    }.get(state)
    return grid.Bulk(url_for("JobsView.act"), offered) if offered and can("jobs.write") else None


def _delivery(row: DeliveryRow) -> grid.Row:
    error = row.last_error or {}
    shown = [
        row.subscriber,
        cells.code(row.kind),
        _state(row.state),
        f"{row.subject_type} {row.subject_id[-12:]}",
        cells.number(row.attempts),
        cells.moment(row.occurred_at),
        gettext(error["message"]) if error.get("message") else row.reason or cells.DASH,
    ]
    return grid.Row(str(row.id), row.subscriber, shown)


def _runs() -> grid.Grid:
    before = parse_id(request.args.get("before", ""))
    found = runs(db(), before=before, limit=PAGE + 1)
    following = url_for("JobsView.list", state=RUNS, before=found[PAGE - 1].id) if len(found) > PAGE else ""
    heads = [
        grid.Column("action", gettext("Action")),
        grid.Column("state", gettext("State"), "states"),
        grid.Column("who", gettext("Started by")),
        *(
            grid.Column(key, label, "num")
            for key, label in (
                ("total", gettext("Rows")),
                ("done", gettext("Done")),
                ("refused", gettext("Refused")),
                ("failed", gettext("Failed")),
            )
        ),
        grid.Column("at", gettext("Started")),
    ]
    rows = []
    for run in found[:PAGE]:
        kind, icon, word = RUN_STATES[run.state]
        numbers = [cells.number(value) for value in (run.total, run.done, run.refused, run.failed)]
        line = [run_title(run), cells.badge(kind, icon, gettext(word)), run.actor.get("label", ""), *numbers, cells.moment(run.created_at)]
        rows.append(grid.Row(str(run.id), run_title(run), line))
    pager = grid.Pager(1 if rows and before is None else 0, len(rows), next_url=following)
    show = url_for("BulkRunView.show", pk="__pk__").replace("__pk__", grid.KEY)
    empty = grid.Empty("stack-2", gettext("No bulk run yet"), gettext("Actions on many rows appear here with their outcome."))
    return grid.Grid(heads, rows, pager=pager, id="runs", caption=gettext("Bulk runs"), show_url=show, empty=empty)
