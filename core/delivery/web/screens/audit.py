"""The audit trail as a list, newest first, with filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from flask_babel import gettext

from core.delivery.web import trail
from core.delivery.web.i18n import reader_zone
from core.delivery.web.marks import tenant_only
from core.delivery.web.theme.grid import Filter, Pager, Tools
from core.delivery.web.unit import db
from core.kernel.ids import parse_id
from core.runtime.security.audit import AuditEntry, AuditFilter, entries

PAGE = 50
_KINDS = {"user": "person", "token": "person", "plugin": "plugin", "workflow": "workflow"}
_TEXTS = ("subject_type", "subject_id", "actor_id", "action")


class AuditView(BaseView):
    """Who changed what, when, from where."""

    route_base = "/audit"
    default_view = "list"
    permission_keys: Mapping[str, str] = {"list": "audit.read"}

    @expose("/")
    @has_access
    @tenant_only
    def list(self) -> str:
        """One page of entries; `before` is the last id of the page shown so far."""
        wanted = {name: request.args.get(name, "").strip()[:200] for name in _TEXTS}
        since, until = _day(request.args.get("since", "")), _day(request.args.get("until", ""))
        query = AuditFilter(**wanted, since=since, until=until + timedelta(days=1) if until else None)
        found = entries(db(), query, before=parse_id(request.args.get("before")), limit=PAGE + 1)
        shown = found[:PAGE]
        names = trail.names_of(db(), shown)
        return self.render_template(
            "pages/audit.html",
            entries=[_shown(one, names.get((one.subject_type, one.subject_id), "")) for one in shown],
            tools=_tools(wanted),
            pager=_pager(shown, has_more=len(found) > PAGE),
        )


def _day(text: str) -> datetime | None:
    """Midnight of a date in the reader's time zone; None when there is none."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - only its date is used
    except ValueError:
        return None
    return datetime.combine(day, time(), reader_zone())


def _shown(entry: AuditEntry, name: str) -> dict[str, Any]:
    return {
        "at": entry.occurred_at,
        "who": (gettext("Orderloom") if entry.actor_kind == "system" else entry.actor_label) + (f" · {entry.via}" if entry.via else ""),
        "kind": _KINDS.get(entry.actor_kind, "system"),
        "action": trail.action_of(entry),
        "subject": f"{trail.kind_of(entry)} {name or _short(entry.subject_id)}".strip(),
        "url": url_for(".list", subject_type=entry.subject_type, subject_id=entry.subject_id),
        "changes": trail.changes_of(entry),
        "address": entry.address,
    }


def _short(subject_id: str) -> str:
    """The end of a UUID, which differs; its beginning is the time."""
    return f"…{subject_id[-8:]}" if parse_id(subject_id) is not None else subject_id


def _tools(wanted: dict[str, str]) -> Tools:
    labels = {"subject_type": gettext("Kind"), "subject_id": gettext("Record"), "actor_id": gettext("Person"), "action": gettext("What")}
    choices = {"subject_type": trail.SUBJECTS, "action": trail.ACTIONS}
    filters = [
        Filter(name, labels[name], "select", wanted[name], [(key, gettext(word)) for key, word in choices[name].items()])
        if name in choices
        else Filter(name, labels[name], value=wanted[name])
        for name in _TEXTS
        if name != "subject_id"
    ]
    filters += [
        Filter("since", gettext("From day"), "date", request.args.get("since", "")),
        Filter("until", gettext("To day"), "date", request.args.get("until", "")),
    ]
    hint = gettext("Id of a record")
    return Tools(search_name="subject_id", search=wanted["subject_id"], search_hint=hint, filters=filters, clear_url=url_for(".list"))


def _pager(shown: list[AuditEntry], *, has_more: bool) -> Pager:
    args = {name: value for name, value in request.args.items() if name != "before"}
    following = f"{url_for('.list')}?{urlencode({**args, 'before': shown[-1].id})}" if has_more else ""
    back = f"{url_for('.list')}?{urlencode(args)}" if "before" in request.args else ""
    return Pager(first=1 if shown else 0, last=len(shown), previous_url=back, next_url=following)
