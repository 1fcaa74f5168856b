"""Customers by hand: their sealed values, their addresses, and looking at them in clear, which always leaves a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.domain.customers.models import Address, Customer, Reveal
from core.engines.metadata.records import deleter, refusals
from core.engines.metadata.search import personal_tokens, reindex
from core.kernel.errors import Invalid, NotFound
from core.kernel.ids import new_id
from core.kernel.jsontext import encode_json
from core.kernel.text import SearchKind, SearchValue, clean_text, mask_address, mask_email, mask_name, mask_phone, search_tokens
from core.runtime.db.bulk import insert_rows
from core.runtime.events import EventDraft, emit
from core.runtime.security.audit import record
from core.runtime.security.vault import blind, seal, unseal
from core.runtime.tenancy.scope import require_scope

PERSONAL = ("name", "phone", "email", "tax_number")
PERSONAL_ADDRESS = ("name", "phone", "street")
_LENGTHS = {"name": 120, "phone": 40, "email": 254, "tax_number": 40, "street": 300}
MIN_REASON = 4
SEARCH_ENTITY = "customers.customer"


def _personal(values: Mapping[str, Any], names: tuple[str, ...], known: Mapping[str, str]) -> dict[str, str]:
    """The personal values after a change: given ones cleaned, absent ones as they were; a masked value never replaces a clear one."""
    merged = dict(known)
    for name in names:
        if name in values:
            text = clean_text(values[name] or "", max_length=_LENGTHS[name], field=name)
            if "*" in text:
                raise Invalid("This is a masked value; leave it out to keep what is stored.", field=name)
            merged[name] = text
    return {name: value for name, value in merged.items() if value}


def _opened(session: Session, purpose: str, sealed: bytes | None) -> dict[str, str]:
    values: dict[str, str] = json.loads(unseal(session, purpose, sealed)) if sealed else {}
    return values


def _write_customer(session: Session, customer: Customer, values: Mapping[str, Any]) -> None:
    personal = _personal(values, PERSONAL, _opened(session, "customer", customer.sealed))
    if not personal.get("name"):
        raise Invalid("A customer needs a name.", field="name")
    email = personal.get("email", "").lower()
    if email and "@" not in email:
        raise Invalid("This is not an email address.", field="email")
    phone = personal.get("phone", "")
    customer.sealed = seal(session, "customer", encode_json(personal))
    customer.name_masked = mask_name(personal["name"])
    customer.phone_masked = mask_phone(phone) if phone else ""
    customer.email_masked = mask_email(email) if email else ""
    customer.phone_blind = blind(session, "phone", phone) if phone else ""
    customer.email_blind = blind(session, "email", email) if email else ""
    for name in ("kind", "note", "tags", "is_blocked"):
        if name in values:
            setattr(customer, name, values[name])
    words = [SearchValue(SearchKind.NAME, personal["name"]), SearchValue(SearchKind.PHONE, phone), SearchValue(SearchKind.CODE, email)]
    reindex(session, SEARCH_ENTITY, {customer.id: personal_tokens(session, search_tokens(word for word in words if word.text))})


def create_customer(session: Session, values: Mapping[str, Any]) -> Customer:
    """A customer from plain values (`name`, `phone`, `email`, `tax_number` are sealed). Raises Invalid with the field's name."""
    customer = Customer(id=new_id())
    _write_customer(session, customer, values)
    with refusals(session, Customer):
        session.add(customer)
    return customer


def update_customer(session: Session, customer: Customer, values: Mapping[str, Any]) -> None:
    """Change a customer; personal values that are not given stay as they are. Emits: `customer.blocked`, `customer.unblocked`."""
    was_blocked = customer.is_blocked
    with refusals(session, Customer):
        _write_customer(session, customer, values)
    if customer.is_blocked != was_blocked:
        emit(session, [EventDraft("customer.blocked" if customer.is_blocked else "customer.unblocked", "customer", customer.id, {})])


def delete_customer(session: Session, customer: Customer) -> None:
    """Delete a customer that no order refers to, and what finds it. Raises InUse."""
    reindex(session, SEARCH_ENTITY, {customer.id: ()})
    deleter(Customer)(session, customer)


def _write_address(session: Session, address: Address, values: Mapping[str, Any]) -> None:
    personal = _personal(values, PERSONAL_ADDRESS, _opened(session, "address", address.sealed))
    address.sealed = seal(session, "address", encode_json(personal)) if personal else None
    address.name_masked = mask_name(personal.get("name", ""))
    address.phone_masked = mask_phone(personal["phone"]) if personal.get("phone") else ""
    address.street_masked = mask_address(personal.get("street", ""))
    for name in ("customer_id", "label", "country", "province", "city", "district", "postcode", "is_default"):
        if name in values:
            setattr(address, name, values[name])


def create_address(session: Session, values: Mapping[str, Any]) -> Address:
    """An address of a customer; `name`, `phone` and `street` are sealed."""
    address = Address(id=new_id())
    _write_address(session, address, values)
    with refusals(session, Address):
        session.add(address)
    return address


def update_address(session: Session, address: Address, values: Mapping[str, Any]) -> None:
    """Change an address; personal values that are not given stay as they are."""
    with refusals(session, Address):
        _write_address(session, address, values)


def note_reveal(session: Session, subject_type: str, subject_id: UUID, *, fields: list[str], reason: str) -> None:
    """Put on record that personal values are looked at in clear. Raises Invalid - no reason given."""
    reason = clean_text(reason, max_length=300, field="reason")
    if len(reason) < MIN_REASON:
        raise Invalid("Say why you need to see this.", field="reason")
    actor = require_scope().actor
    row = {"id": new_id(), "subject_type": subject_type, "subject_id": subject_id, "fields": fields, "reason": reason}
    insert_rows(session, Reveal, [{**row, "actor_kind": actor.kind, "actor_id": actor.id, "actor_label": actor.label}])
    record(session, "customers.revealed", subject_type, subject_id, {"reason": (None, reason)})


def reveal_customer(session: Session, customer_id: UUID, *, reason: str) -> dict[str, str]:
    """A customer's personal values in clear, with the reason on record. Raises NotFound, Invalid."""
    sealed = session.execute(select(Customer.sealed).where(Customer.id == customer_id)).one_or_none()
    if sealed is None:
        raise NotFound(customer=str(customer_id))
    note_reveal(session, "customer", customer_id, fields=list(PERSONAL), reason=reason)
    return _opened(session, "customer", sealed.sealed)


def reveal_address(session: Session, address_id: UUID, *, reason: str) -> dict[str, str]:
    """An address's personal values in clear, with the reason on record. Raises NotFound, Invalid."""
    sealed = session.execute(select(Address.sealed).where(Address.id == address_id)).one_or_none()
    if sealed is None:
        raise NotFound(address=str(address_id))
    note_reveal(session, "address", address_id, fields=list(PERSONAL_ADDRESS), reason=reason)
    return _opened(session, "address", sealed.sealed)
