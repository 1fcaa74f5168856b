"""Recognising buyers: the same source and external id is the same customer. Set-based; nothing here commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from core.domain.customers.models import Customer, CustomerIdentity
from core.kernel.ids import new_id
from core.kernel.jsontext import encode_json
from core.kernel.text import mask_name, mask_phone
from core.runtime.db.bulk import find_rows, find_soon, insert_rows
from core.runtime.security.vault import blind, seal

_IDENTITY = ("external_id", "customer_id")


@dataclass(frozen=True, slots=True)
class Buyer:
    """What a channel tells of a buyer; values may be masked already, `is_masked` says so."""

    name: str = ""
    phone: str = ""
    email: str = ""
    is_masked: bool = False


def look_up(session: Session, source: str, external_ids: Iterable[str]) -> list[Any]:
    """Ask for the identities of these buyers; inside `direct.together` the question travels with the block's others."""
    keys = list(dict.fromkeys(external_ids))
    return find_soon(session, CustomerIdentity, _IDENTITY, {"source": source, "external_id": keys})


def recognise(session: Session, source: str, buyers: Mapping[str, Buyer], *, identities: Sequence[Any] | None = None) -> dict[str, UUID]:
    """Customer ids by the source's external id; buyers that were not known become customers.

    `identities` is what `look_up` found, when that was asked before. Two workers that meet the same new buyer at once agree on one
    customer. Values of a known customer stay as they are.
    """
    if not buyers:
        return {}
    found = _by_id(identities) if identities is not None else _known(session, source, list(buyers))
    missing = {key: buyer for key, buyer in buyers.items() if key not in found}
    if not missing:
        return found
    fresh = {key: new_id() for key in sorted(missing)}
    insert_rows(session, Customer, [_row(session, fresh[key], missing[key]) for key in fresh])
    won = insert_rows(
        session,
        CustomerIdentity,
        [{"id": new_id(), "customer_id": customer, "source": source, "external_id": key} for key, customer in fresh.items()],
        on_conflict="ON CONFLICT (tenant_id, source, external_id) DO NOTHING",
        returning="external_id, customer_id",
    )
    found.update({row.external_id: row.customer_id for row in won})
    lost = [key for key in fresh if key not in found]
    if lost:
        found.update(_known(session, source, lost))
        session.query(Customer).filter(Customer.id.in_([fresh[key] for key in lost])).delete(synchronize_session=False)
    return found


def _known(session: Session, source: str, keys: list[str]) -> dict[str, UUID]:
    return _by_id(find_rows(session, CustomerIdentity, _IDENTITY, {"source": source, "external_id": keys}))


def _by_id(rows: Sequence[Any]) -> dict[str, UUID]:
    return {row.external_id: row.customer_id for row in rows}


def _row(session: Session, customer: UUID, buyer: Buyer) -> dict[str, object]:
    values = {"name": buyer.name, "phone": buyer.phone, "email": buyer.email}
    known = {key: value for key, value in values.items() if value}
    is_clear = not buyer.is_masked
    return {
        "id": customer,
        "sealed": seal(session, "customer", encode_json(known)) if known else None,
        "name_masked": mask_name(buyer.name) if is_clear else buyer.name,
        "phone_masked": mask_phone(buyer.phone) if is_clear else buyer.phone,
        "phone_blind": blind(session, "phone", buyer.phone) if is_clear and buyer.phone else "",
        "email_blind": blind(session, "email", buyer.email.lower()) if is_clear and buyer.email else "",
    }
