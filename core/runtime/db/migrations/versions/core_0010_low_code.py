"""Configuration as data, fields of tenants on every kind of record, and records of tenants' own kinds.

Revision ID: core_0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from core.runtime.db.rls import append_only, tenant_policy

revision = "core_0010"
down_revision = "core_0001"
branch_labels = None
depends_on = None

EXTENSIBLE = (
    "address",
    "barcode",
    "carrier",
    "channel_document",
    "channel_push",
    "channel_sync_run",
    "channel_unmapped",
    "customer",
    "kit_item",
    "order_line",
    "order_refund",
    "order_tag",
    "parcel",
    "product",
    "reservation",
    "sales_order",
    "shipment",
    "shipment_line",
    "shop",
    "sku",
    "sku_alias",
    "stock",
    "warehouse",
)
NEW = ("config_head", "config_item", "config_version", "custom_record", "custom_value", "field_slot", "number_series", "stored_file")
TENANT = sa.text("nullif(current_setting('app.tenant', true), '')::int")


def upgrade() -> None:
    for table in EXTENSIBLE:
        op.add_column(table, sa.Column("custom", postgresql.JSONB(none_as_null=True), nullable=True))
    _configuration()
    _records()
    for table in NEW:
        for statement in tenant_policy(table):
            op.execute(statement)
    for statement in append_only("config_version"):
        op.execute(statement)


def downgrade() -> None:
    for table in reversed(NEW):
        op.drop_table(table)
    for table in EXTENSIBLE:
        op.drop_column(table, "custom")


def _tenant() -> sa.Column[int]:
    return sa.Column("tenant_id", sa.Integer(), server_default=TENANT, nullable=False)


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False)


def _moment(name: str, default: str = "now()") -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.text(default), nullable=False)


def _text(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=None if default is None else sa.text(f"'{default}'"), nullable=False)


def _table(name: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(name, _tenant(), _id(), *columns, sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{name}"))


def _configuration() -> None:
    op.create_table(
        "config_head",
        _tenant(),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("serial", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_slot", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_config_head"),
    )
    _table(
        "config_item",
        _text("kind"),
        _text("key"),
        sa.Column("body", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("tenant_id", "kind", "key", name="uq_config_item_tenant_id_kind_key"),
    )
    _table(
        "config_version",
        sa.Column("number", sa.Integer(), nullable=False),
        _text("note", ""),
        sa.Column("changes", postgresql.JSONB(none_as_null=True), nullable=False),
        _text("actor_kind"),
        _text("actor_id"),
        _text("actor_label"),
        _moment("changed_at", "clock_timestamp()"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_config_version_tenant_id_number"),
    )


def _records() -> None:
    _table(
        "field_slot",
        _text("entity"),
        _text("key"),
        _text("slot"),
        _text("indexed_as", ""),
        _moment("created_at"),
        _moment("updated_at"),
        sa.UniqueConstraint("tenant_id", "slot", name="uq_field_slot_tenant_id_slot"),
        sa.UniqueConstraint("tenant_id", "entity", "key", name="uq_field_slot_tenant_id_entity_key"),
    )
    op.create_table(
        "custom_value",
        _tenant(),
        _text("slot"),
        _text("key"),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("is_unique", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "slot", "record_id", "key", name="pk_custom_value"),
    )
    op.create_index("ix_custom_value_key", "custom_value", ["tenant_id", "slot", "key", "record_id"])
    op.create_index("ix_custom_value_record", "custom_value", ["tenant_id", "record_id"])
    unique = sa.text("is_unique")
    op.create_index("ix_custom_value_unique", "custom_value", ["tenant_id", "slot", "key"], unique=True, postgresql_where=unique)
    _table(
        "custom_record",
        _text("entity"),
        _text("title", ""),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        _moment("created_at"),
        _moment("updated_at"),
        sa.Column("row_version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("custom", postgresql.JSONB(none_as_null=True), nullable=True),
    )
    op.create_index("ix_custom_record_entity", "custom_record", ["tenant_id", "entity", "id"])
    op.create_index("ix_custom_record_title", "custom_record", ["tenant_id", "entity", "title", "id"])
    has_parent = sa.text("parent_id IS NOT NULL")
    op.create_index("ix_custom_record_parent", "custom_record", ["tenant_id", "parent_id", "entity", "id"], postgresql_where=has_parent)
    _table(
        "number_series",
        _text("series"),
        _text("period", ""),
        sa.Column("next_value", sa.Integer(), nullable=False),
        sa.UniqueConstraint("tenant_id", "series", "period", name="uq_number_series_tenant_id_series_period"),
    )
    _table(
        "stored_file",
        _text("name"),
        sa.Column("size", sa.Integer(), nullable=False),
        _text("media_type"),
        _text("sha256"),
        _text("sender"),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        _text("slot", ""),
        _moment("created_at"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_stored_file_record", "stored_file", ["tenant_id", "record_id"])
    is_unused = sa.text("record_id IS NULL")
    op.create_index("ix_stored_file_unused", "stored_file", ["tenant_id", "created_at"], postgresql_where=is_unused)
