"""The customer's own page: the generated one, with the personal data in clear for who gives a reason."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext
from markupsafe import Markup

from core.delivery.web.crud.view import EntityView
from core.delivery.web.identity import can
from core.delivery.web.messages import in_words
from core.delivery.web.unit import db
from core.domain.customers.models import Customer
from core.domain.customers.service import reveal_customer
from core.kernel.errors import Invalid


class CustomerView(EntityView):
    """Customers: masked, until somebody says why they need to see more."""

    def show_context(self, record: Any) -> dict[str, Any]:
        """The card with the personal data at the side."""
        may = can("customers.reveal") and record.sealed is not None
        reveal = {"url": url_for(f"{self.endpoint}.reveal", pk=record.id)} if may else None
        card = render_template("pages/customer_card.html", buyer=_masked(record), reveal=reveal)
        return {**super().show_context(record), "side": [Markup(card)]}  # noqa: S704 - a template of our own, which escapes

    @expose("/reveal/<pk>", methods=["POST"])
    @has_access
    @permission_name("reveal")
    def reveal(self, pk: str) -> Any:
        """The personal data in clear, as a fragment; the reason is put on record."""
        customer: Customer = self.record(pk)
        try:
            clear = reveal_customer(db(), customer.id, reason=request.form.get("reason", ""))
        except Invalid as error:
            flash(in_words(error.message), "danger")
            return redirect(url_for(f"{self.endpoint}.show", pk=pk))
        known = {key: value for key, value in clear.items() if key in ("name", "phone", "email")}
        shown = {**_masked(customer), **known, "is_masked": False}
        if any("*" in str(shown[key]) for key in ("name", "phone", "email")):
            shown["nick"] = gettext("The channel masks the rest; it gives out no more.")
        return render_template("pages/_buyer.html", buyer=shown, reveal=None)


def _masked(customer: Customer) -> dict[str, Any]:
    return {
        "name": customer.name_masked,
        "phone": customer.phone_masked,
        "email": customer.email_masked,
        "nick": "",
        "address": "",
        "is_masked": True,
        "url": "",
    }
