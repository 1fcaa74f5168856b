"""The search index: exact tokens in a side table, looked up by equality and range, which stay indexable under row-level security."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.schema import PrimaryKeyConstraint

from core.kernel.text import prefix_bounds, query_tokens
from core.runtime.db.base import Base, TenantScoped, tenant_index
from core.runtime.db.bulk import insert_rows


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
    """Index records that are not in the index yet; does not commit."""
    rows = [{"entity": entity, "token": token, "record_id": record} for record, words in tokens.items() for token in words]
    insert_rows(session, SearchToken, rows, on_conflict="ON CONFLICT DO NOTHING")


def reindex(session: Session, entity: str, tokens: Mapping[UUID, Iterable[str]]) -> None:
    """Replace what the index holds about these records; an empty set of tokens takes a record out of it."""
    session.execute(
        delete(SearchToken)
        .where(SearchToken.entity == entity, SearchToken.record_id.in_(list(tokens)))
        .execution_options(synchronize_session=False)
    )
    index_new(session, entity, tokens)


def matching(entity: str, text: str) -> Sequence[Select[tuple[UUID]]]:
    """Sub-selects of record ids, one per word of the user's text; a record matches when it is in all of them.

    The last word also matches as a beginning. Several pasted numbers (one per line) give one sub-select that matches any of them.
    """
    query = query_tokens(text)
    token, base = SearchToken.token, select(SearchToken.record_id).where(SearchToken.entity == entity)
    if query.alternatives:
        return [base.where(token.in_(query.alternatives))]
    found = [base.where(token == word) for word in query.words]
    if query.prefix:
        low, high = prefix_bounds(query.prefix)
        found.append(base.where(token >= low) if high is None else base.where(token >= low, token < high))
    return found
