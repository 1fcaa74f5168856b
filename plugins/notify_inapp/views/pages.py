"""The pages of notifications: all of them, the menu under the bell, and what one wants to be told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import BooleanField

from core.sdk import PluginContext
from core.sdk.web import MEMBER, Action, Pager, PageView, current_user_id, page
from plugins.notify_inapp import queries, service
from plugins.notify_inapp.kinds import KINDS
from plugins.notify_inapp.queries import NoticeUnknown
from plugins.notify_inapp.views.shown import by_day, item, target


class NotifyInappView(PageView):
    """One's own notifications; nobody sees those of others."""

    route_base = "/notifications"
    default_view = "list"

    @page("/", permission=MEMBER)
    def list(self, ctx: PluginContext) -> str:
        """All notifications, by day."""
        user = current_user_id()
        last = request.args.get("before", "")
        before = queries.get_notice(ctx.session, user, _id_from(last)) if last else None
        found = queries.latest(ctx.session, user, before=before, limit=queries.PAGE + 1)
        shown = found[: queries.PAGE]
        return render_template(
            "pages/notifications.html",
            groups=by_day(shown, ctx.clock.now()),
            read_all=_read_all() if queries.unread_count(ctx.session, user) else None,
            settings_url=url_for(".settings"),
            pager=_pager(shown, is_first=before is None, has_more=len(found) > queries.PAGE),
        )

    @page("/menu", permission=MEMBER)
    def menu(self, ctx: PluginContext) -> str:
        """The latest ones, as the menu under the bell."""
        notices = queries.latest(ctx.session, current_user_id(), limit=queries.SHORT)
        is_new = any(notice.read_at is None for notice in notices)
        items = [item(notice) for notice in notices]
        return render_template("pages/_bell.html", items=items, all_url=url_for(".list"), read_all=_read_all() if is_new else None)

    @page("/<uuid:notice_id>/", permission=MEMBER)
    def follow(self, ctx: PluginContext, notice_id: UUID) -> Response:
        """Mark a notification as read and go to what it is about. Repeating it changes nothing, so a plain link may do it."""
        notice = queries.get_notice(ctx.session, current_user_id(), notice_id)
        service.mark_read(ctx, notice.user_id, notice.id)
        return redirect(target(notice), 303)

    @page("/read", permission=MEMBER, methods=("POST",))
    def read(self, ctx: PluginContext) -> Response:
        """Mark all as read."""
        service.mark_read(ctx, current_user_id())
        flash(gettext("All notifications are read."), "success")
        return redirect(url_for(".list"), 303)

    @page("/settings", permission=MEMBER, methods=("GET", "POST"))
    def settings(self, ctx: PluginContext) -> Any:
        """Which kinds one wants to be told."""
        user = current_user_id()
        form = _kinds_form(queries.muted_kinds(ctx.session, user))
        if form.validate_on_submit():
            service.choose_kinds(ctx, user, [kind.key for kind in KINDS if form[kind.key].data])
            flash(gettext("Your choice was saved."), "success")
            return redirect(url_for(".list"), 303)
        fieldsets = [{"title": gettext("Tell me about"), "fields": [kind.key for kind in KINDS]}]
        crumbs = {"crumbs": [{"label": gettext("Notifications"), "url": url_for(".list")}]}
        title, back = gettext("What I want to be told"), url_for(".list")
        return render_template("kit/form.html", title=title, form=form, fieldsets=fieldsets, cancel_url=back, head=crumbs, form_action="")


def _kinds_form(muted: frozenset[str]) -> FlaskForm:
    """A check box for each kind; made per request, because the labels are in the reader's language."""
    boxes = {kind.key: BooleanField(gettext(kind.title), default=kind.key not in muted) for kind in KINDS}
    form: FlaskForm = type("KindsForm", (FlaskForm,), boxes)()
    return form


def _read_all() -> Action:
    return Action(gettext("Mark all as read"), url_for(".read"), "check", method="post")


def _id_from(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NoticeUnknown(notice=text[:60]) from None


def _pager(shown: Any, *, is_first: bool, has_more: bool) -> Pager | None:
    if not shown or (is_first and not has_more):
        return None
    following = url_for(".list", before=str(shown[-1].id)) if has_more else ""
    return Pager(first=1, last=len(shown), previous_url="" if is_first else url_for(".list"), next_url=following)
