"""The page of an inbound document: the generated one, with the channel's own words for who gives a reason."""

from __future__ import annotations

import json
import re
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from markupsafe import Markup

from core.delivery.web.crud.view import EntityView
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.unit import db
from core.domain.channels.inbound import reveal_payload
from core.kernel.errors import Invalid

_NUMBER = re.compile(r'"\\u0000([0-9.eE+-]+)\\u0000"')


class DocumentView(EntityView):
    """Inbound documents: what became of them, and their words, which hold personal data, to who says why they need them."""

    def show_context(self, record: Any) -> dict[str, Any]:
        """The card that asks for the reason, at the side."""
        may = can("customers.reveal") and record.sealed is not None
        reveal = {"url": url_for(f"{self.endpoint}.reveal", pk=record.id)} if may else None
        card = render_template("pages/document_card.html", content=None, reveal=reveal)
        return {**super().show_context(record), "side": [Markup(card)]}  # noqa: S704 - a template of our own, which escapes

    @expose("/reveal/<pk>", methods=["POST"])
    @has_access
    @permission_name("reveal")
    def reveal(self, pk: str) -> Any:
        """The document word for word, as a fragment; the reason is put on record."""
        document = self.record(pk)
        try:
            payload = reveal_payload(db(), document.id, reason=request.form.get("reason", ""))
        except Invalid as error:
            flash(in_words(error.message), "danger")
            return redirect(url_for(f"{self.endpoint}.show", pk=pk))
        return render_template("pages/_document.html", content=_pretty(payload), reveal=None)


def _pretty(payload: Any) -> str:
    """The document in lines; numbers with a point keep their digits as the channel wrote them."""
    marked = json.dumps(payload, ensure_ascii=False, indent=2, default=lambda number: f"\0{number}\0")
    return _NUMBER.sub(r"\1", marked)
