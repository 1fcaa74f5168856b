"""The search index: exact tokens in a side table, looked up by equality and range, which stay indexable under row-level security."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.schema import PrimaryKeyConstraint

from core.kernel.text import query_tokens
from core.runtime.db.base import Base, TenantScoped, tenant_index
from core.runtime.db.bulk import insert_rows
from core.runtime.security.vault import blind_many

_PERSONAL = "search"


class SearchToken(Base, TenantScoped):
    """One word, code or number by which a record can be found."""

    __tablename__ = "search_token"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "entity", "token", "record_id"),
        tenant_index("ix_search_token_record", "record_id"),
    )

    entity: Mapped[str] = mapped_column(sort_order=1)
    token: Mapped[str] = mapped_column(sort_order=2)
    record_id: Mapped[UUID] = mapped_column(sort_order=3)


def index_new(session: Session, entity: str, tokens: Mapping[UUID, Iterable[str]]) -> None:
    """Index records that are not in the index yet, each with different tokens; does not commit."""
    insert_rows(session, SearchToken, _rows(entity, tokens), spread="token")


def add_tokens(session: Session, entity: str, tokens: Mapping[UUID, Iterable[str]]) -> None:
    """Let records also be found by these tokens; those that they have already stay. Does not commit."""
    insert_rows(session, SearchToken, _rows(entity, tokens), spread="token", on_conflict="ON CONFLICT DO NOTHING")


def _rows(entity: str, tokens: Mapping[UUID, Iterable[str]]) -> list[dict[str, Any]]:
    return [{"entity": entity, "token": list(words), "record_id": record} for record, words in tokens.items()]


def reindex(session: Session, entity: str, tokens: Mapping[UUID, Iterable[str]]) -> None:
    """Replace what the index holds about these records; an empty set of tokens takes a record out of it."""
    session.execute(
        delete(SearchToken)
        .where(SearchToken.entity == entity, SearchToken.record_id.in_(list(tokens)))
        .execution_options(synchronize_session=False)
    )
    add_tokens(session, entity, tokens)


def personal_tokens(session: Session, words: Iterable[str]) -> set[str]:
    """Tokens of personal data: keyed hashes, found by the whole word only."""
    return {f"#{hashed}" for hashed in blind_many(session, _PERSONAL, sorted(words)) if hashed}


def matching(session: Session, entity: str, text: str) -> Sequence[Select[UUID]]:
    """Sub-selects of record ids, one per word of the user's text; a record matches when it is in all of them.

    The last word also matches as a beginning, except against personal data. Several pasted numbers (one per line) give one sub-select that
    matches any of them. Text without a word gives none.
    """
    query = query_tokens(text)
    token, base = SearchToken.token, select(SearchToken.record_id).where(SearchToken.entity == entity)
    if query.numbers:
        return [base.where(token.in_([*query.numbers, *personal_tokens(session, query.numbers)]))]
    found = [base.where(token.in_([word, *personal_tokens(session, [word])])) for word in query.exact]
    if query.prefix_range is not None and query.prefix is not None:
        low, high = query.prefix_range
        starts = (token >= low) if high is None else and_(token >= low, token < high)
        found.append(base.where(or_(starts, token.in_(personal_tokens(session, [query.prefix])))))
    return found
