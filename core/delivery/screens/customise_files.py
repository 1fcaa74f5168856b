"""The configuration as one file: downloaded, uploaded or pasted, compared with what is, applied after a look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import Response, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext

from core.delivery.api.config import present_kinds
from core.delivery.screens.customise import READ, WRITE
from core.delivery.screens.customise_diff import shown_step
from core.delivery.screens.customise_door import shown_impacts
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.schema import forget_schema, whole_schema
from core.delivery.web.unit import db
from core.engines.configuration import ConfigRefused, ConfigStale, propose
from core.engines.configuration.document import MAX_BYTES, apply_document, changes_of, export_document, read_text, write_text
from core.engines.configuration.queries import present_version
from core.engines.configuration.service import MAX_NOTE
from core.kernel.errors import NotFound

TYPES = {"toml": "application/toml", "json": "application/json"}
SHOWN_STEPS = 200


class CustomiseFileView(BaseView):
    """Export and import."""

    route_base = "/customise/file"
    default_view = "show"
    class_permission_name = "CustomiseFileView"
    permission_keys: ClassVar[Mapping[str, str]] = {"show": READ, "write": WRITE}

    @expose("/", methods=["GET"])
    @has_access
    def show(self) -> Any:
        """The page."""
        return self._page()

    @expose("/configuration.<form>", methods=["GET"])
    @has_access
    @permission_name("show")
    def download(self, form: str) -> Response:
        """The whole configuration as a file."""
        if form not in TYPES:
            raise NotFound(form=form)
        text = write_text(export_document(db(), present_kinds()), is_toml=form == "toml")
        name = f"configuration-{present_version(db())}.{form}"
        return Response(text, mimetype=TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @expose("/", methods=["POST"])
    @has_access
    @permission_name("write")
    def compare(self) -> Any:
        """What applying the file would change; nothing is changed."""
        text = posted_text()
        note = request.form.get("note", "").strip()[:MAX_NOTE]
        try:
            made, impacts = propose(db(), present_kinds(), changes_of(db(), present_kinds(), document_of(text)))
        except ConfigRefused as error:
            return self._page(text=text, note=note, problems=shown_problems(error)), error.status
        steps = [shown_step(whole_schema(), step) for step in made.steps[:SHOWN_STEPS]]
        left = max(len(made.steps) - SHOWN_STEPS, 0)
        return self._page(text=text, note=note, steps=steps, left=left, impacts=shown_impacts(impacts), is_compared=True)

    @expose("/apply", methods=["POST"])
    @has_access
    @permission_name("write")
    def apply(self) -> Any:
        """Apply the file that was compared; when the configuration has changed since, compare once more."""
        text, note = posted_text(), request.form.get("note", "").strip()[:MAX_NOTE]
        seen = request.form.get("version", "")
        try:
            made = apply_document(db(), present_kinds(), document_of(text), note=note, base=int(seen) if seen.isdecimal() else -1)
        except ConfigStale:
            flash(gettext("Somebody has changed the configuration meanwhile. Look at the comparison once more."), "warning")
            return self.compare()
        except ConfigRefused as error:
            return self._page(text=text, note=note, problems=shown_problems(error)), error.status
        forget_schema()
        flash(
            gettext("Applied. It is live at once.") if made.steps else gettext("Nothing has changed."), "success" if made.steps else "info"
        )
        return redirect(url_for("CustomiseVersionView.list"), 303)

    def _page(self, **context: Any) -> Any:
        given = {"text": "", "note": "", "problems": [], "steps": [], "left": 0, "impacts": [], "is_compared": False, **context}
        return render_template(
            "pages/customise_file.html",
            title=gettext("Export and import"),
            crumbs=[{"label": gettext("Fields and records"), "url": url_for("CustomiseView.list")}],
            version=present_version(db()),
            may=can(WRITE),
            downloads=[(form, url_for("CustomiseFileView.download", form=form)) for form in TYPES],
            schema_url=url_for("ConfigApi.schema"),
            **given,
        )


def posted_text() -> str:
    """The text of the uploaded file, else the pasted one."""
    upload = request.files.get("file")
    if upload is not None and upload.filename:
        return upload.stream.read(MAX_BYTES + 1).decode("utf-8-sig", errors="replace")
    return request.form.get("text", "").replace("\r\n", "\n")


def document_of(text: str) -> dict[str, Any]:
    """The document of a text that is JSON when it begins like that, else TOML. Raises ConfigRefused."""
    return read_text(text, is_toml=not text.lstrip().startswith("{"))


def shown_problems(error: ConfigRefused) -> list[dict[str, str]]:
    """Every wrong place with what is wrong."""
    return [{"place": place, "message": in_words(message)} for place, message in error.problems.items()]
