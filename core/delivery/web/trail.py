"""The audit trail in people's words: what was done, to which record, and which field went from what to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from flask_babel import gettext
from sqlalchemy.orm import Session

from core.delivery.web.schema import entities_for, whole_schema
from core.delivery.web.theme import cells
from core.engines.metadata import queries
from core.engines.metadata.entity import EntityType, Field, FieldType
from core.kernel.ids import parse_id
from core.kernel.messages import N_
from core.runtime.security.audit import CHANGED, EXTENSION, AuditEntry

ACTIONS = {
    "created": N_("created"),
    "updated": N_("changed"),
    "deleted": N_("deleted"),
    "roles_changed": N_("roles changed"),
    "access_denied": N_("was refused"),
    "records.exported": N_("exported"),
    "customers.revealed": N_("looked at personal data"),
    "records.revealed": N_("looked at an encrypted value"),
    "orders.accepted": N_("took the order in"),
    "orders.updated_by_channel": N_("changed on the channel"),
    "orders.approved": N_("reserved the stock and approved the order"),
    "orders.shipped": N_("shipped the order"),
    "orders.delivered": N_("noted the delivery"),
    "orders.completed": N_("completed the order"),
    "orders.refund_recorded": N_("recorded a refund"),
    "orders.cancelled": N_("cancelled the order"),
    "orders.replaced": N_("replaced the order by its parts"),
    "orders.payment_recorded": N_("recorded the payment"),
    "orders.tagged": N_("changed the tags"),
    "bulk.started": N_("started a bulk run"),
    "bulk.cancelled": N_("stopped a bulk run"),
    "delivery.replayed": N_("sent a job again"),
    "delivery.skipped": N_("dropped a job"),
    "delivery.parked": N_("set a job aside"),
    "delivery.resumed": N_("took a job up again"),
    "plugin.set_up": N_("set the plugin up"),
    "plugin.config_saved": N_("saved settings as a draft"),
    "plugin.config_activated": N_("put settings to use"),
    "plugin.connection_tested": N_("tested the connection"),
    "plugin.configured": N_("configured"),
    "plugin.enabled": N_("switched on"),
    "plugin.disabling": N_("is being switched off"),
    "plugin.disabled": N_("switched off"),
    "plugin.paused": N_("paused"),
    "plugin.resumed": N_("resumed"),
    "plugin.ranked": N_("changed the order of plugins"),
    "plugin.purged": N_("removed all data"),
    "plugin.host_allowed": N_("allowed an address"),
    "plugin.host_withdrawn": N_("withdrew an address"),
}
SUBJECTS = {
    "membership": N_("Member"),
    "role": N_("Role"),
    "invitation": N_("Invitation"),
    "api_token": N_("API token"),
    "route": N_("Page"),
    "order": N_("Order"),
    "plugin": N_("Plugin"),
    "delivery": N_("Job"),
    "bulk_run": N_("Bulk run"),
    "webhook": N_("Webhook"),
}
FIELDS = {
    "roles": N_("Roles"), "role_codes": N_("Roles"), "patterns": N_("Permissions"), "is_seed": N_("Built in"), "scopes": N_("Scopes"),
    "membership_id": N_("Member"), "user_id": N_("Person"), "is_active": N_("Active"), "title": N_("Title"), "code": N_("Code"),
    "prefix": N_("Begins with"), "token_hash": N_("Token"), "expires_at": N_("Expires"), "revoked_at": N_("Revoked"),
    "accepted_at": N_("Accepted"), "last_used_at": N_("Last used"), "email": N_("Email"), "invited_by": N_("Invited by"),
    "sealed": N_("Personal data"), "receiver_sealed": N_("Receiver"), "phone_blind": N_("Phone"), "email_blind": N_("Email"),
    "reason": N_("Reason"), "columns": N_("Columns"), "method": N_("Method"), "action": N_("Action"), "generation": N_("Attempt"),
    "state": N_("State"), "mode": N_("Way"), "version": N_("Version"), "priority": N_("Priority"), "rows": N_("Rows"),
    "host": N_("Address"),
    "for": N_("For"), "is_ok": N_("Worked"), "instance": N_("Instance"), "name": N_("Name"), "url": N_("Target"), "events": N_("Events"),
    "paused": N_("Paused"), "paused_at": N_("Paused"), "secret": N_("Secret"), "secret_hint": N_("Ends with"), "number": N_("Number"),
    "former_secret": N_("Former secret"), "former_until": N_("Former secret until"), "rotated_at": N_("Rotated"),
    "failures": N_("Failures"), "failing_since": N_("Failing since"), "last_at": N_("Last"), "position": N_("No."),
}  # fmt: skip
#: Values of fields that no entity type describes: states of plugins and jobs.
VALUES = {
    "installed": N_("Installed"), "draft": N_("Draft"), "enabled": N_("On"), "paused": N_("Paused"), "disabling": N_("Being switched off"),
    "disabled": N_("Off"), "purged": N_("Removed"), "dead": N_("Given up"), "pending": N_("Waiting"), "running": N_("Running"),
    "skipped": N_("Skipped"), "parked": N_("Parked"), "done": N_("Done"),
}  # fmt: skip
#: Subjects whose name in the trail is not their table's.
_ENTITIES = {"order": "orders.order"}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry; `old` and `new` are texts."""

    label: str
    old: str
    new: str


def action_of(entry: AuditEntry) -> str:
    """What was done, for people; a plugin's own act as its code says it."""
    known = ACTIONS.get(entry.action)
    return gettext(known) if known else entry.action.rpartition(".")[2].replace("_", " ")


def kind_of(entry: AuditEntry) -> str:
    """What kind of thing it was done to."""
    entity = entity_of(entry.subject_type)
    if entity is not None:
        return gettext(entity.label_plural if entry.subject_type == entity.key else entity.label)
    known = SUBJECTS.get(entry.subject_type)
    return gettext(known) if known else entry.subject_type.replace("_", " ")


def entity_of(subject_type: str) -> EntityType | None:
    """The entity type that a subject type stands for: by its table, or by its key for what concerns all records."""
    system = current_app.extensions.get("oms.system")
    if system is None:
        return None
    key = _ENTITIES.get(subject_type, subject_type)
    known = entities_for(system.entities)
    return known.find(key) or next((one for one in known if one.kind is None and table_of(one) == key), None)


def table_of(entity: EntityType) -> str:
    """The table that holds the records of an entity type."""
    model: Any = entity.model
    return str(model.__tablename__)


def names_of(session: Session, entries: Iterable[AuditEntry]) -> Mapping[tuple[str, str], str]:
    """What the records are called that entries tell of, by subject; records that are gone are missing."""
    wanted: dict[str, set[UUID]] = {}
    for entry in entries:
        found = parse_id(entry.subject_id)
        if found is not None:
            wanted.setdefault(entry.subject_type, set()).add(found)
    names = {}
    for kind, ids in wanted.items():
        entity = entity_of(kind)
        if entity is not None and entity.title_field != "id":
            names.update({(kind, str(key)): title for key, title in queries.titles(session, entity, ids).items() if title})
    return names


def changes_of(entry: AuditEntry) -> list[Change]:
    """The fields that changed, with the words that their entity type has for them."""
    entity = entity_of(entry.subject_type)
    hidden = _hidden(entity)
    return [_change(entity, name, value) for name, value in entry.changes.items() if name not in hidden]


def _hidden(entity: EntityType | None) -> frozenset[str]:
    """What entries call the fields that the reader does not see."""
    if entity is None or entity.whole is entity:
        return frozenset()
    gone = [item for item in entity.whole.fields if item.key not in entity.by_key]
    return frozenset(f"{EXTENSION}.{item.slot}" if item.slot else item.key for item in gone)


def _field(entity: EntityType | None, name: str) -> Field | None:
    if entity is None or not name.startswith(f"{EXTENSION}."):
        return entity.by_key.get(name) if entity is not None else None
    slot = name.partition(".")[2]
    shown = next((item for item in entity.fields if item.slot == slot), None)
    archived = whole_schema().slots.get(slot) if shown is None else None
    return shown or (archived[1] if archived is not None else None)


def _change(entity: EntityType | None, name: str, value: Any) -> Change:
    item = _field(entity, name)
    words = item.label if item is not None else FIELDS.get(name)
    label = gettext(words) if words else name.replace("_", " ")
    choices = {choice.value: choice.label for choice in item.choices} if item is not None else VALUES if name == "state" else {}
    is_moment = item is not None and item.type is FieldType.DATETIME
    if isinstance(value, list) and len(value) == 2:
        return Change(label, _text(value[0], choices, is_moment=is_moment), _text(value[1], choices, is_moment=is_moment))
    return Change(label, "", gettext("changed") if value == CHANGED else _text(value, choices))


def _text(value: Any, words: Mapping[str, str], *, is_moment: bool = False) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(_text(part, words) for part in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {part}" for key, part in value.items())
    if is_moment:
        try:
            return cells.moment(datetime.fromisoformat(str(value))).striptags()
        except ValueError:
            return str(value)
    known = words.get(str(value))
    return gettext(known) if known else str(value)
