"""People's words for what plugins bring, handle and do."""

from __future__ import annotations

from flask_babel import gettext

from core.kernel.messages import N_

#: Kinds of contributions, as the hooks are called.
CONTRIBUTIONS = {
    "marketplaces": N_("Sales channels"), "views": N_("Pages"), "api": N_("REST endpoints"), "bell": N_("Bell"), "menu": N_("Menu entries"),
    "permissions": N_("Permissions"), "schedules": N_("Timers"), "seeds": N_("Example data"), "subscribers": N_("Event handlers"),
    "commands": N_("Commands"), "entities": N_("Record types"), "steps": N_("Steps"), "carriers": N_("Carriers"),
}  # fmt: skip
DATA = {
    "buyer_name": N_("Buyer's name"), "buyer_phone": N_("Buyer's phone"), "buyer_address": N_("Buyer's address"),
    "buyer_email": N_("Buyer's email"), "order_content": N_("What was ordered"), "staff_name": N_("Names of staff"),
    "staff_email": N_("Email addresses of staff"),
}  # fmt: skip
CALLS = {"http": N_("Request"), "hook": N_("Hook"), "lifecycle": N_("Switching"), "handler": N_("Event handler"), "job": N_("Job")}
OUTCOMES = {
    "ok": N_("Worked"), "failed": N_("Failed"), "slow": N_("Slow"), "timeout": N_("Too slow"), "refused": N_("Refused"),
    "blocked": N_("Blocked"), "error": N_("Failed"),
}  # fmt: skip
SEVERITIES = {"info": N_("Note"), "warning": N_("Warning"), "error": N_("Error"), "critical": N_("Critical")}


def word_of(words: dict[str, str], key: str) -> str:
    """The reader's word for a key; a key that is not known is shown as it is, without its underscores."""
    known = words.get(key)
    return gettext(known) if known else key.replace("_", " ")
