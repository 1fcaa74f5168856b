"""The plugin catalogue and each plugin's page: switch, set up, test, go live, see what it did, go back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext, ngettext
from sqlalchemy import select

from core.delivery.screens import plugin_facts as facts
from core.delivery.screens.plugin_forms import groups_of, posted_values, settings_form
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.plugin_calls import in_time
from core.delivery.web.theme import grid
from core.delivery.web.unit import db
from core.kernel.errors import Conflict, Denied, Invalid, NotFound, OrderloomError, Unavailable
from core.runtime.plugin_host import configs, lifecycle
from core.runtime.plugin_host.errors import ConfigInvalid
from core.runtime.plugin_host.forms import WHOLE_FORM
from core.runtime.plugin_host.instances import MAIN, find_instance, newest_version, versions_of
from core.runtime.plugin_host.models import PluginPackage, PluginProblem
from core.runtime.plugin_host.runtime import PluginRuntime
from core.runtime.plugin_host.secrets import shown_secrets

MODES = ("drain", "park")
TABS = ("overview", "setup", "activity", "permissions", "versions")


def runtime() -> PluginRuntime:
    """The plugin host at work in this process."""
    found: PluginRuntime = current_app.extensions["oms.system"].plugins
    return found


class PluginView(BaseView):
    """Plugins of this tenant."""

    route_base = "/plugins"
    default_view = "list"
    class_permission_name = "PluginView"
    permission_keys: ClassVar[Mapping[str, str]] = {"list": "plugins.read", "write": "plugins.write"}

    @expose("/", methods=["GET"])
    @has_access
    def list(self) -> Any:
        """The catalogue."""
        q, category, shown = request.args.get("q", ""), request.args.get("category", ""), request.args.get("show", "")
        rows = facts.catalogue(db(), runtime(), may_write=can("plugins.write"))
        fitting = [row for row in rows if facts.fits(row, q, category, shown)]
        return render_template(
            "pages/plugins.html", title=gettext("Plugins"), q=q, facets=facts.facets(rows, category, shown), plugins=fitting, head=None
        )

    @expose("/<plugin>/", methods=["GET"])
    @has_access
    @permission_name("list")
    def show(self, plugin: str) -> Any:
        """One plugin, tab by tab."""
        tab = request.args.get("tab", "overview")
        if tab not in TABS:
            raise NotFound
        return self._page(plugin, tab)

    def _page(self, plugin: str, tab: str, **more: Any) -> Any:
        package = runtime().host.package(plugin)
        row = find_instance(db(), plugin, MAIN)
        has_form = bool(facts.form_of(db(), plugin))
        labels = {
            "overview": gettext("Overview"),
            "setup": gettext("Set up"),
            "activity": gettext("Activity"),
            "permissions": gettext("Permissions"),
            "versions": gettext("Versions"),
        }
        shown = [key for key in TABS if has_form or key not in ("setup", "versions")]
        context: dict[str, Any] = {
            "plugin": facts.plugin_head(runtime(), package, row, may_write=can("plugins.write")),
            "plugins_url": url_for("PluginView.list"),
            "tabs": [grid.Tab(key, labels[key], url_for("PluginView.show", plugin=plugin, tab=key), key == tab) for key in shown],
            "tab": tab,
            "notices": facts.notices(package, row),
        }
        context.update(getattr(self, f"_{tab}")(plugin, package, row))
        return render_template("pages/plugin.html", **{**context, **more})

    def _overview(self, plugin: str, package: Any, _row: Any) -> dict[str, Any]:
        problems = db().scalars(
            select(PluginProblem)
            .where(PluginProblem.plugin == plugin, PluginProblem.resolved_at.is_(None))
            .order_by(PluginProblem.last_seen.desc())
        )
        return {
            "readme": facts.readme(package),
            "adds": facts.contributions(runtime(), plugin),
            "problems": [facts.problem(one) for one in problems],
        }

    def _setup(self, plugin: str, _package: Any, row: Any) -> dict[str, Any]:
        entries = facts.form_of(db(), plugin)
        newest = newest_version(db(), row) if row is not None else None
        filled = configs.filled_form(entries, newest)
        kept = shown_secrets(db(), newest)
        may = can("plugins.write")
        offered = {
            entry["name"]: configs.field_options(db(), runtime(), plugin, entry["name"])
            for entry in entries
            if entry.get("options") and plugin in runtime().host.loaded
        }
        is_live = row is not None and newest is not None and row.active_version == newest.version
        go = grid.Action(gettext("Go live"), url_for("PluginView.activate", plugin=plugin), "bolt", method="post")
        return {
            "form": settings_form(filled, offered),
            "fieldsets": groups_of(entries),
            "secrets": [
                {
                    "name": entry["name"],
                    "label": gettext(entry["label"]),
                    "is_set": entry["name"] in kept,
                    "set_at": None,
                    "help": gettext(entry["help"]) if entry.get("help") else "",
                }
                for entry in entries
                if entry["secret"]
            ],
            "form_action": url_for("PluginView.save", plugin=plugin) if may else "",
            "draft": not is_live,
            "test": {"url": url_for("PluginView.test", plugin=plugin), "last": facts.last_test(newest)} if may else None,
            "impact": facts.impact(db(), runtime(), plugin),
            "activate": go if may and newest is not None and not is_live else None,
        }

    def _activity(self, plugin: str, _package: Any, _row: Any) -> dict[str, Any]:
        return {"grid": facts.activity(db(), plugin)}

    def _permissions(self, plugin: str, package: Any, row: Any) -> dict[str, Any]:
        return {"permissions": facts.permissions(runtime(), plugin, package, is_on=row is not None and row.state in lifecycle.ON)}

    def _versions(self, plugin: str, _package: Any, row: Any) -> dict[str, Any]:
        found = list(versions_of(db(), row)) if row is not None else []
        return {"versions": facts.versions(plugin, row, found, may_write=can("plugins.write"))}

    @expose("/<plugin>/switch", methods=["POST"])
    @has_access
    @permission_name("write")
    def switch(self, plugin: str) -> Any:
        """Switch on; or off, once it is said what becomes of work under way."""
        row, session, mode = find_instance(db(), plugin, MAIN), db(), request.form.get("mode", "")
        is_on = row is not None and row.state in lifecycle.ON
        if is_on and mode not in MODES:
            return redirect(url_for("PluginView.off", plugin=plugin))
        try:
            with session.begin_nested():
                if mode in MODES:
                    text = _off_text(lifecycle.disable(session, runtime(), plugin, mode=mode))
                else:
                    in_time(plugin, lambda: lifecycle.enable(session, runtime(), plugin))
                    text = gettext("Switched on.")
            flash(text, "success")
        except (Conflict, Invalid, Denied, NotFound, Unavailable) as error:
            flash(facts.refusal(error), "danger")
            if error.facts.get("reason") in ("not_configured", "untested"):
                return redirect(url_for("PluginView.show", plugin=plugin, tab="setup"))
        return redirect(url_for("PluginView.show", plugin=plugin))

    @expose("/<plugin>/off", methods=["GET"])
    @has_access
    @permission_name("write")
    def off(self, plugin: str) -> Any:
        """What switching off means, how much is under way, and the choice between finishing that and leaving it."""
        package, row = runtime().host.package(plugin), find_instance(db(), plugin, MAIN)
        back = url_for("PluginView.show", plugin=plugin)
        if row is None or row.state not in (*lifecycle.ON, "disabling"):
            return redirect(back)
        can_drain = plugin in runtime().host.loaded
        manifest = package.manifest
        usual = row.mode or (manifest.in_flight if manifest is not None else "park")
        return render_template(
            "pages/plugin_off.html",
            title=gettext("Switch %(name)s off", name=facts.said(package, "title")),
            back=back,
            name=facts.said(package, "title"),
            url=url_for("PluginView.switch", plugin=plugin),
            pending=sum(runtime().in_flight(db(), plugin).values()),
            can_drain=can_drain,
            chosen=usual if can_drain else "park",
            is_ending=row.state == "disabling",
        )

    @expose("/<plugin>/save", methods=["POST"])
    @has_access
    @permission_name("write")
    def save(self, plugin: str) -> Any:
        """Save the form as a draft; a test may be asked for in the same breath."""
        form, saved = self._save(plugin)
        if not saved:
            return self._page(plugin, "setup", form=form), 422
        flash(gettext("The draft is saved. Test the connection, then go live."), "success")
        return redirect(url_for("PluginView.show", plugin=plugin, tab="setup"))

    def _save(self, plugin: str) -> tuple[Any, bool]:
        entries = facts.form_of(db(), plugin)
        form = settings_form(entries, {})
        if not form.validate():
            return form, False
        try:
            configs.save_draft(db(), runtime(), plugin, posted_values(entries, form, request.form))
            return form, True
        except ConfigInvalid as error:
            labels = {entry["name"]: gettext(entry["label"]) for entry in entries}
            for name, messages in error.facts["errors"].items():
                texts = [in_words(str(text)) for text in ([messages] if isinstance(messages, str) else messages)]
                if name in form:
                    form[name].errors = texts
                else:
                    form.form_errors.extend(text if name == WHOLE_FORM else f"{labels.get(name, name)}: {text}" for text in texts)
        except (ValueError, Conflict) as error:
            form.form_errors.append(in_words(str(error)))
        return form, False

    @expose("/<plugin>/test", methods=["POST"])
    @has_access
    @permission_name("write")
    def test(self, plugin: str) -> Any:
        """Save the draft and let the plugin prove that it works; answers htmx with a fragment."""
        form, saved = self._save(plugin)
        is_fragment = "HX-Request" in request.headers
        if not saved:
            if is_fragment:
                problem = "; ".join(str(text) for field in form for text in field.errors) or "; ".join(
                    str(text) for text in form.form_errors
                )
                return render_template("pages/_test_result.html", last={"ok": False, "at": facts.now(), "text": problem, "details": []})
            return self._page(plugin, "setup", form=form), 422
        db().commit()
        try:
            result = configs.check_connection(db(), runtime(), plugin)
            last = {"ok": result.is_ok, "at": facts.now(), "text": gettext(result.message), "details": []}
        except (Unavailable, Conflict, Denied) as error:
            last = {"ok": False, "at": facts.now(), "text": in_words(error.message), "details": []}
        if is_fragment:
            return render_template("pages/_test_result.html", last=last)
        flash(last["text"] or gettext("The connection works."), "success" if last["ok"] else "danger")
        return redirect(url_for("PluginView.show", plugin=plugin, tab="setup"))

    @expose("/<plugin>/activate", methods=["POST"])
    @has_access
    @permission_name("write")
    def activate(self, plugin: str) -> Any:
        """Put the newest draft, or the version asked for, in force."""
        version = request.form.get("version", "")
        try:
            if version.isdecimal():
                configs.roll_back(db(), runtime(), plugin, int(version))
            else:
                configs.activate(db(), runtime(), plugin)
            flash(gettext("The settings are live."), "success")
        except OrderloomError as error:
            flash(facts.refusal(error), "danger")
        return redirect(url_for("PluginView.show", plugin=plugin, tab="setup"))


def _off_text(done: lifecycle.Disabled) -> str:
    """What became of a plugin that was switched off, and of its work."""
    waiting = sum(done.in_flight.values())
    if not waiting:
        return gettext("Switched off. Its data stays.")
    if done.row.mode == "park":
        return ngettext(
            "Switched off. %(num)s job waits until it is on again.", "Switched off. %(num)s jobs wait until it is on again.", waiting
        )
    return ngettext("Switched off. %(num)s job is finished first.", "Switched off. %(num)s jobs are finished first.", waiting)


def known_packages(session: Any) -> list[PluginPackage]:
    """What the installation has on record about plugins."""
    return list(session.scalars(select(PluginPackage).order_by(PluginPackage.id)))
