"""How a shop is kept in step with its channel: watermark, log, sync now, and pulling again by number or span of time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from sqlalchemy import func, select

from core.delivery.screens.order_facts import platform_name
from core.delivery.web.i18n import reader_zone
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.theme import cells, grid
from core.delivery.web.unit import db
from core.domain.channels import service
from core.domain.channels.errors import ShopUnknown
from core.domain.channels.models import Cursor, InboundDocument, Push, Shop, SyncRun
from core.kernel.errors import Conflict, Invalid
from core.kernel.ids import parse_id
from core.kernel.messages import N_

LOG_ROWS = 30
STREAMS = {
    "orders": N_("Orders"),
    "refunds": N_("Refunds"),
    "messages": N_("Push messages"),
    "reconcile": N_("Reconciliation"),
    "skus": N_("SKUs"),
}
CAUSES = {
    "schedule": N_("On schedule"),
    "message": N_("Message from the channel"),
    "asked": N_("Asked for by hand"),
    "repull": N_("Fetched again"),
}
_STATES = {
    "running": ("progress", "refresh", N_("Running")),
    "done": ("ok", "check", N_("Done")),
    "partly": ("info", "dots", N_("Goes on")),
    "failed": ("bad", "alert-triangle", N_("Failed")),
}


class SyncView(BaseView):
    """The sync page of each shop."""

    route_base = "/sync"
    default_view = "first"
    class_permission_name = "SyncView"
    permission_keys: ClassVar[Mapping[str, str]] = {"first": "channels.read", "sync": "channels.sync"}

    @expose("/", methods=["GET"])
    @has_access
    def first(self) -> Any:
        """The first shop that has a marketplace."""
        shop = db().scalars(select(Shop).where(Shop.marketplace != "").order_by(Shop.code).limit(1)).one_or_none()
        if shop is None:
            empty = grid.Empty(
                "building-store",
                gettext("No shop is connected yet"),
                gettext("Switch on a marketplace plugin, and its shop appears here."),
                grid.Action(gettext("See the plugins"), url_for("PluginView.list"), "puzzle") if can("plugins.read") else None,
            )
            return render_template(
                "kit/list.html", title=gettext("Synchronisation"), head={}, tabs=[], tools=None, grid=grid.Grid([], [], empty=empty)
            )
        return redirect(url_for("SyncView.show", pk=shop.id))

    @expose("/<pk>/", methods=["GET"])
    @has_access
    @permission_name("first")
    def show(self, pk: str) -> Any:
        """One shop."""
        shop = self._shop(pk)
        session = db()
        runs = list(session.scalars(select(SyncRun).where(SyncRun.shop_id == shop.id).order_by(SyncRun.started_at.desc()).limit(LOG_ROWS)))
        shops = session.scalars(select(Shop).where(Shop.marketplace != "").order_by(Shop.code))
        failed = bool(runs) and runs[0].state == "failed"
        may = can("channels.sync")
        return render_template(
            "pages/sync.html",
            shop={
                "name": shop.title,
                "icon": "building-store",
                "platform": platform_name(shop.marketplace),
                "health": "bad" if failed else "ok" if runs else "",
                "word": gettext("Last run failed") if failed else gettext("In step") if runs else gettext("Not synchronised yet"),
            },
            shops=[grid.Tab(str(one.id), one.title, url_for("SyncView.show", pk=one.id), one.id == shop.id) for one in shops],
            facts=self._facts(shop, runs),
            sync_url=url_for("SyncView.now", pk=pk) if may else "",
            pull={"url": url_for("SyncView.pull", pk=pk), "number_hint": gettext("One number per line"), "error": None} if may else None,
            grid=_log(runs),
            running=any(run.state == "running" for run in runs[:3]),
            status_url=url_for("SyncView.show", pk=pk),
            notices=[],
        )

    def _facts(self, shop: Shop, runs: list[SyncRun]) -> list[tuple[str, Any]]:
        session = db()
        marks = {row.stream: row.watermark for row in session.scalars(select(Cursor).where(Cursor.shop_id == shop.id))}
        refused = session.scalar(
            select(func.count())
            .select_from(InboundDocument)
            .where(InboundDocument.shop_id == shop.id, InboundDocument.state.in_(("refused", "parked")))
        )
        pushes = session.scalar(
            select(func.count()).select_from(Push).where(Push.shop_id == shop.id, Push.state.in_(("refused", "unknown")))
        )
        return [
            (gettext("Orders complete up to"), cells.moment(marks.get("orders"))),
            (gettext("Refunds complete up to"), cells.moment(marks.get("refunds"))),
            (gettext("Last run"), cells.ago(runs[0].started_at) if runs else cells.DASH),
            (gettext("Documents refused"), cells.number(refused)),
            (gettext("Reports refused"), cells.number(pushes)),
        ]

    @expose("/<pk>/now", methods=["POST"])
    @has_access
    @permission_name("sync")
    def now(self, pk: str) -> Any:
        """Fetch what is new."""
        shop = self._shop(pk)
        error = service.ask_for_pull(db(), [shop.id])[shop.id]
        flash(in_words(error.message) if error else gettext("Asked for. New orders arrive in a moment."), "danger" if error else "success")
        return redirect(url_for("SyncView.show", pk=pk))

    @expose("/<pk>/pull", methods=["POST"])
    @has_access
    @permission_name("sync")
    def pull(self, pk: str) -> Any:
        """Fetch single orders, or a span of time, once more."""
        shop = self._shop(pk)
        try:
            numbers = request.form.get("numbers", "")
            if numbers.strip():
                service.ask_for_numbers(db(), shop.id, numbers.replace(",", "\n").split())
            else:
                service.ask_for_window(db(), shop.id, service.window_from(_moment("from"), _moment("to")))
            flash(gettext("Asked for. The log shows how it goes."), "success")
        except (Invalid, Conflict) as error:
            flash(in_words(error.message), "danger")
        return redirect(url_for("SyncView.show", pk=pk))

    def _shop(self, pk: str) -> Shop:
        found: UUID | None = parse_id(pk)
        shop = db().scalars(select(Shop).where(Shop.id == found)).one_or_none() if found else None
        if shop is None:
            raise ShopUnknown(shop=pk[:40])
        return shop


def _moment(name: str) -> datetime | None:
    text = request.form.get(name, "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("This is not a date and time.", field=name) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=reader_zone())


def _log(runs: list[SyncRun]) -> grid.Grid:
    heads = [
        grid.Column("at", gettext("Started")),
        grid.Column("stream", gettext("Stream")),
        grid.Column("cause", gettext("Cause")),
        grid.Column("state", gettext("State")),
        *(
            grid.Column(key, label, "num")
            for key, label in (
                ("seen", gettext("Seen")),
                ("created", gettext("New")),
                ("updated", gettext("Updated")),
                ("refused", gettext("Refused")),
            )
        ),
        grid.Column("error", gettext("What happened"), "wide"),
    ]
    rows = []
    for run in runs:
        kind, icon, word = _STATES.get(run.state, ("neutral", "point", run.state))
        counts = run.counts or {}
        rows.append(
            grid.Row(
                str(run.id),
                run.stream,
                [
                    cells.moment(run.started_at),
                    gettext(STREAMS.get(run.stream, run.stream)),
                    gettext(CAUSES.get(run.cause, run.cause)),
                    cells.badge(kind, icon, gettext(word)),
                    *(cells.number(counts.get(key)) for key in ("seen", "created", "updated", "refused")),
                    run.error_text or cells.DASH,
                ],
            )
        )
    return grid.Grid(
        heads, rows, id="sync-log", caption=gettext("Sync log"), empty=grid.Empty("history", gettext("Nothing has been synchronised yet."))
    )
