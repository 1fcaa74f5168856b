"""The pages of webhooks: the list, one with its delivery log, and its form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from core.sdk import Conflict, Invalid, PluginContext
from core.sdk.web import Action, Pager, PageView, can, page, said_by
from plugins.outbound_webhooks import queries, service
from plugins.outbound_webhooks.models import Hook
from plugins.outbound_webhooks.views.forms import HookForm
from plugins.outbound_webhooks.views.shown import delivery, hook_head, hook_row, moment_from, tabs

SEE, MANAGE = "outbound_webhooks.see", "outbound_webhooks.manage"


class OutboundWebhooksView(PageView):
    """Subscriptions and what became of their messages."""

    route_base = "/webhooks"
    default_view = "list"

    @page("/", permission=SEE)
    def list(self, ctx: PluginContext) -> str:
        """All subscriptions."""
        failing = queries.open_counts(ctx.session)
        rows = [hook_row(hook, failing.get(hook.id, 0)) for hook in queries.all_hooks(ctx.session)]
        primary = Action(gettext("New webhook"), url_for(".add"), "plus") if can(MANAGE) else None
        return render_template("pages/webhooks.html", subscriptions=rows, head={"primary": primary})

    @page("/add", permission=MANAGE, methods=("GET", "POST"))
    def add(self, ctx: PluginContext) -> Any:
        """A form for a new subscription; its secret is shown right after, and never again."""
        form = HookForm()
        if form.validate_on_submit():
            try:
                hook, secret = service.make_hook(ctx, service.checked(form.data))
            except (Invalid, Conflict) as error:
                return self._refused(form, error, title=gettext("New webhook"), back=url_for(".list"))
            return self._shown(ctx, hook, new_secret=secret)
        return self._form(form, title=gettext("New webhook"), back=url_for(".list"))

    @page("/<uuid:hook_id>/", permission=SEE)
    def show(self, ctx: PluginContext, hook_id: UUID) -> str:
        """One subscription with its delivery log, newest first."""
        return self._shown(ctx, queries.get_hook(ctx.session, hook_id))

    @page("/<uuid:hook_id>/edit", permission=MANAGE, methods=("GET", "POST"))
    def edit(self, ctx: PluginContext, hook_id: UUID) -> Any:
        """Change a subscription."""
        hook = queries.get_hook(ctx.session, hook_id)
        form, back = HookForm(hook=hook), url_for(".show", hook_id=hook_id)
        if form.validate_on_submit():
            try:
                service.change_hook(ctx, hook, service.checked(form.data))
            except (Invalid, Conflict) as error:
                return self._refused(form, error, title=hook.name, back=back)
            flash(gettext("The webhook was saved."), "success")
            return redirect(back, 303)
        return self._form(form, title=hook.name, back=back)

    @page("/<uuid:hook_id>/delete", permission=MANAGE, methods=("POST",))
    def delete(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Delete a subscription with its log."""
        service.remove_hook(ctx, queries.get_hook(ctx.session, hook_id))
        flash(gettext("The webhook was deleted."), "success")
        return redirect(url_for(".list"), 303)

    @page("/<uuid:hook_id>/rotate", permission=MANAGE, methods=("POST",))
    def rotate(self, ctx: PluginContext, hook_id: UUID) -> str:
        """Replace the secret and show the new one, once."""
        hook = queries.get_hook(ctx.session, hook_id)
        return self._shown(ctx, hook, new_secret=service.rotate_secret(ctx, hook))

    @page("/<uuid:hook_id>/switch", permission=MANAGE, methods=("POST",))
    def switch(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Pause a subscription, or go on."""
        hook = queries.get_hook(ctx.session, hook_id)
        if hook.paused:
            service.resume_hook(ctx, hook)
            flash(gettext("The webhook is on again; what has waited is sent now."), "success")
        else:
            service.pause_hook(ctx, hook)
            flash(gettext("The webhook is paused; events wait until it goes on."), "success")
        return redirect(url_for(".show", hook_id=hook_id), 303)

    @page("/<uuid:hook_id>/test", permission=MANAGE, methods=("POST",))
    def trial(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Send a test event."""
        service.send_trial(ctx, queries.get_hook(ctx.session, hook_id))
        flash(gettext("A test event is on its way; its outcome appears in the log."), "success")
        return redirect(url_for(".show", hook_id=hook_id), 303)

    @page("/<uuid:hook_id>/replay", permission=MANAGE, methods=("POST",))
    def replay(self, ctx: PluginContext, hook_id: UUID) -> Response:
        """Send one message again (`message`), or all that failed since a moment (`since`, in the reader's time zone)."""
        hook = queries.get_hook(ctx.session, hook_id)
        if "message" in request.form:
            service.replay_message(ctx, hook, _id_from(request.form["message"]))
            flash(gettext("The delivery is sent again."), "success")
        else:
            service.ask_for_replay(ctx, hook, since=moment_from(request.form.get("since", "")))
            flash(gettext("All failed deliveries are sent again, the oldest first."), "success")
        return redirect(url_for(".show", hook_id=hook_id), 303)

    def _shown(self, ctx: PluginContext, hook: Hook, *, new_secret: str = "") -> str:
        chosen = request.args.get("tab", "all")
        states = queries.TABS.get(chosen, ())
        before = request.args.get("before", "")
        found = queries.messages_of(
            ctx.session, hook.id, states=states, before=_id_from(before) if before else None, limit=queries.PAGE + 1
        )
        messages = found[: queries.PAGE]
        attempts = queries.attempts_of(ctx.session, messages)
        counts = queries.counts_of(ctx.session, hook.id)
        failed = Action(gettext("Send all failed again"), url_for(".replay", hook_id=hook.id), "refresh", method="post")
        return render_template(
            "pages/webhook.html",
            hook=hook_head(hook, may_manage=can(MANAGE)),
            new_secret=new_secret,
            former_until=hook.former_until,
            tabs=tabs(hook.id, chosen, counts),
            deliveries=[delivery(one, attempts[one.id], may_manage=can(MANAGE)) for one in messages],
            replay_failed=failed if counts["failed"] and can(MANAGE) else None,
            pager=_pager(hook.id, chosen, before, messages, has_more=len(found) > queries.PAGE),
        )

    @staticmethod
    def _form(form: HookForm, *, title: str, back: str) -> str:
        fieldsets = [{"title": "", "fields": ["name", "url", "events"]}]
        crumbs = {"crumbs": [{"label": gettext("Webhooks"), "url": url_for(".list")}]}
        return render_template("kit/form.html", title=title, form=form, fieldsets=fieldsets, cancel_url=back, head=crumbs, form_action="")

    def _refused(self, form: HookForm, error: Invalid | Conflict, *, title: str, back: str) -> tuple[str, int]:
        field = getattr(form, str(getattr(error, "field", "") or "name"), form.name)
        field.errors = (*field.errors, said_by(error))
        return self._form(form, title=title, back=back), error.status


def _id_from(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid("This is no number of a delivery.", field="message") from None


def _pager(hook_id: UUID, tab: str, before: str, messages: Any, *, has_more: bool) -> Pager | None:
    if not messages or not (has_more or before):
        return None
    following = url_for(".show", hook_id=hook_id, tab=tab, before=str(messages[-1].id)) if has_more else ""
    return Pager(first=1, last=len(messages), previous_url=url_for(".show", hook_id=hook_id, tab=tab) if before else "", next_url=following)
