"""Versions of the configuration: every change with who, when and what; taking one back, going back to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext

from core.delivery.api.config import present_kinds
from core.delivery.screens.customise import READ, WRITE, refused_page
from core.delivery.screens.customise_diff import name_of, shown_step
from core.delivery.screens.customise_door import AGREED, shown_impacts
from core.delivery.web.identity import can
from core.delivery.web.schema import forget_schema, whole_schema
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.engines.configuration import ChangeSet, ConfigRefused, ConfigStale, Impact, roll_back, undo
from core.engines.configuration.models import CHANGED, ConfigVersion
from core.engines.configuration.queries import present_version, steps_of, versions, versions_after

PAGE = 30
SHOWN_STEPS = 40


class CustomiseVersionView(BaseView):
    """The history of the configuration."""

    route_base = "/customise/versions"
    default_view = "list"
    class_permission_name = "CustomiseVersionView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": READ, "write": WRITE}

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """Versions, newest first."""
        text = request.args.get("before", "")
        before = int(text) if text.isdecimal() and len(text) < 10 else None
        rows = versions(db(), before=before, limit=PAGE + 1)
        newest, may = present_version(db()), can(WRITE)
        shown = [_row(row, may=may, is_newest=row.number == newest) for row in rows[:PAGE]]
        older = url_for("CustomiseVersionView.list", before=rows[PAGE - 1].number) if len(rows) > PAGE else ""
        crumbs = [{"label": gettext("Fields and records"), "url": url_for("CustomiseView.list")}]
        return render_template(
            "pages/customise_versions.html",
            title=gettext("Versions"),
            crumbs=crumbs,
            versions=shown,
            older=older,
            newest=url_for("CustomiseVersionView.list") if before is not None else "",
        )

    @expose("/<int:number>/undo", methods=["POST"])
    @has_access
    @permission_name("write")
    def undo(self, number: int) -> Any:
        """Take back what one version changed."""
        return self._back(number, lambda: undo(db(), present_kinds(), number), gettext("Undo version %(number)s", number=number))

    @expose("/<int:number>/restore", methods=["POST"])
    @has_access
    @permission_name("write")
    def restore(self, number: int) -> Any:
        """Bring back the whole configuration of a version, after a look at what that changes."""
        return self._back(number, lambda: roll_back(db(), present_kinds(), number), gettext("Restore version %(number)s", number=number))

    def _back(self, number: int, act: Any, title: str) -> Any:
        """Go back in two steps: what it would change is tried and shown, then done."""
        here = url_for("CustomiseVersionView.list")
        session = db()
        is_agreed = AGREED in request.form
        try:
            with session.begin_nested() as attempt:
                made: ChangeSet = act()
                if not is_agreed:
                    attempt.rollback()
        except ConfigStale as error:
            return self._conflict(number, error, title=title, back=here)
        except ConfigRefused as error:
            return refused_page(error, title=title, back=here)
        if not is_agreed:
            session.info.pop(CHANGED, None)
            steps = [shown_step(whole_schema(), step) for step in made.steps[:SHOWN_STEPS]]
            left = max(len(made.steps) - SHOWN_STEPS, 0)
            page = {"steps": steps, "left": left, "impacts": shown_impacts(impacts_of(made)), "back": here, "url": request.path}
            return render_template("pages/customise_back.html", title=title, posted=[], **page)
        forget_schema()
        flash(gettext("Done. It is live at once.") if made.steps else gettext("Nothing has changed."), "success" if made.steps else "info")
        return redirect(here, 303)

    def _conflict(self, number: int, error: ConfigStale, *, title: str, back: str) -> Any:
        """Which later versions changed the same, so that this one cannot be taken back alone."""
        kind, key = str(error.facts.get("kind", "")), str(error.facts.get("key", ""))
        rows = [
            row
            for row in versions_after(db(), number)
            if any(key in (one.key, one.renamed_from) for one in steps_of(row) if one.kind == kind)
        ]
        body = whole_schema().draft.get(kind, key) or {}
        name = name_of(whole_schema(), kind, key, body)
        later = [_row(row, may=False, is_newest=False) for row in rows]
        page = render_template("pages/customise_conflict.html", title=title, name=name, later=later, number=number, back=back)
        return page, error.status


def impacts_of(made: ChangeSet) -> list[Impact]:
    """What a change that was only tried does to stored data."""
    found: list[Impact] = []
    for step in made.steps:
        look = present_kinds().get(step.kind).impacts
        if look is not None:
            found += look(db(), made, step)
    return found


def _row(row: ConfigVersion, *, may: bool, is_newest: bool) -> dict[str, Any]:
    steps = steps_of(row)
    shown = [shown_step(whole_schema(), step) for step in steps[:SHOWN_STEPS]]
    back = grid.Action(gettext("Undo"), url_for("CustomiseVersionView.undo", number=row.number), "arrow-back-up", method="post")
    again = grid.Action(gettext("Restore"), url_for("CustomiseVersionView.restore", number=row.number), "history", method="post")
    return {
        "number": row.number,
        "note": row.note,
        "at": row.changed_at,
        "who": row.actor_label,
        "steps": shown,
        "left": max(len(steps) - SHOWN_STEPS, 0),
        "is_newest": is_newest,
        "undo": back if may else None,
        "restore": again if may and not is_newest else None,
    }
