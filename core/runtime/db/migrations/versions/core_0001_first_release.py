"""The schema of the first release.

Revision ID: core_0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

from core.runtime.db.rls import append_only, global_table, own_rows_policy, relay_policy, tenant_policy

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None

TENANT_TABLES = (
    "address",
    "api_token",
    "audit_entry",
    "barcode",
    "bulk_run",
    "bulk_run_row",
    "carrier",
    "channel_cursor",
    "channel_document",
    "channel_push",
    "channel_sync_run",
    "channel_unmapped",
    "customer",
    "customer_identity",
    "delivery",
    "event",
    "idempotency_key",
    "inbox",
    "invitation",
    "kit_item",
    "list_layout",
    "membership",
    "membership_role",
    "number_block",
    "order_hold",
    "order_line",
    "order_note",
    "order_refund",
    "order_tag",
    "parcel",
    "plugin_breaker",
    "plugin_call",
    "plugin_config",
    "plugin_egress",
    "plugin_instance",
    "plugin_problem",
    "plugin_secret",
    "plugin_use",
    "product",
    "reservation",
    "reveal",
    "role",
    "sales_order",
    "schedule_tick",
    "search_token",
    "shipment",
    "shipment_line",
    "shop",
    "sku",
    "sku_alias",
    "stock",
    "stock_ledger",
    "warehouse",
)
APPEND_ONLY = (
    "audit_entry",
    "order_note",
    "reveal",
    "stock_ledger",
)
RELAY_TABLES = (
    "delivery",
    "event",
    "inbox",
    "schedule_tick",
)
OWN_ROWS = {'membership': 'user_id'}
GLOBAL_TABLES = {
    "ab_api_key": "SELECT, INSERT, UPDATE, DELETE",
    "ab_group": "SELECT, INSERT, UPDATE, DELETE",
    "ab_group_role": "SELECT, INSERT, UPDATE, DELETE",
    "ab_permission": "SELECT, INSERT, UPDATE, DELETE",
    "ab_permission_view": "SELECT, INSERT, UPDATE, DELETE",
    "ab_permission_view_role": "SELECT, INSERT, UPDATE, DELETE",
    "ab_register_user": "SELECT, INSERT, UPDATE, DELETE",
    "ab_role": "SELECT, INSERT, UPDATE, DELETE",
    "ab_user": "SELECT, INSERT, UPDATE, DELETE",
    "ab_user_group": "SELECT, INSERT, UPDATE, DELETE",
    "ab_user_role": "SELECT, INSERT, UPDATE, DELETE",
    "ab_view_menu": "SELECT, INSERT, UPDATE, DELETE",
    "account": "SELECT, INSERT, UPDATE, DELETE",
    "login_session": "SELECT, INSERT, UPDATE, DELETE",
    "login_throttle": "SELECT, INSERT, UPDATE, DELETE",
    "password_reset": "SELECT, INSERT, UPDATE, DELETE",
    "plugin_package": "SELECT, INSERT, UPDATE, DELETE",
    "security_event": "SELECT, INSERT",
    "tenant": "SELECT, INSERT, UPDATE, DELETE",
    "vault_canary": "SELECT, INSERT",
}


def upgrade() -> None:
    op.create_table('ab_group',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('label', sa.String(length=150), nullable=True),
    sa.Column('description', sa.String(length=512), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('ab_permission',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('ab_register_user',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_name', sa.String(length=64), nullable=False),
    sa.Column('last_name', sa.String(length=64), nullable=False),
    sa.Column('username', sa.String(length=128), nullable=False),
    sa.Column('password', sa.String(length=256), nullable=True),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('registration_date', sa.DateTime(), nullable=True),
    sa.Column('registration_hash', sa.String(length=256), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('email'),
    sa.UniqueConstraint('username')
    )
    op.create_table('ab_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('ab_user',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_name', sa.String(length=64), nullable=False),
    sa.Column('last_name', sa.String(length=64), nullable=False),
    sa.Column('username', sa.String(length=128), nullable=False),
    sa.Column('password', sa.String(length=256), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=True),
    sa.Column('email', sa.String(length=320), nullable=False),
    sa.Column('last_login', sa.DateTime(), nullable=True),
    sa.Column('login_count', sa.Integer(), nullable=True),
    sa.Column('fail_login_count', sa.Integer(), nullable=True),
    sa.Column('created_on', sa.DateTime(), nullable=True),
    sa.Column('changed_on', sa.DateTime(), nullable=True),
    sa.Column('created_by_fk', sa.Integer(), nullable=True),
    sa.Column('changed_by_fk', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['changed_by_fk'], ['ab_user.id'], ),
    sa.ForeignKeyConstraint(['created_by_fk'], ['ab_user.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('email'),
    sa.UniqueConstraint('username')
    )
    op.create_table('ab_view_menu',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=250), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('audit_entry',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('subject_type', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('changes', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('actor_kind', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('actor_label', sa.Text(), nullable=False),
    sa.Column('via', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('address', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('trace', sa.Text(), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_audit_entry'))
    )
    op.create_index('ix_audit_entry_action', 'audit_entry', ['tenant_id', 'action', 'id'], unique=False, postgresql_where=None)
    op.create_index('ix_audit_entry_actor', 'audit_entry', ['tenant_id', 'actor_id', 'id'], unique=False, postgresql_where=None)
    op.create_index('ix_audit_entry_subject', 'audit_entry', ['tenant_id', 'subject_type', 'subject_id', 'id'], unique=False, postgresql_where=None)
    op.create_table('bulk_run',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('params', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('source', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('state', sa.Text(), server_default=sa.text("'expanding'"), nullable=False),
    sa.Column('total', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('done', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('refused', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('failed', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('cancelled', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('actor', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('request_key', sa.Text(), nullable=True),
    sa.Column('retry_of', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_bulk_run'))
    )
    op.create_index('uq_bulk_run_request_key', 'bulk_run', ['tenant_id', 'request_key'], unique=True, postgresql_where=sa.text('request_key IS NOT NULL'))
    op.create_table('carrier',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('tracking_pattern', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('tracking_url', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_carrier')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_carrier_tenant_id_code'))
    )
    op.create_table('customer',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('kind', sa.Text(), server_default=sa.text("'person'"), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('name_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('phone_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('email_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('phone_blind', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('email_blind', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('tags', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('is_blocked', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint("kind IN ('person', 'company')", name=op.f('ck_customer_kind')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_customer'))
    )
    op.create_index('ix_customer_email', 'customer', ['tenant_id', 'email_blind'], unique=False, postgresql_where=sa.text("email_blind <> ''"))
    op.create_index('ix_customer_phone', 'customer', ['tenant_id', 'phone_blind'], unique=False, postgresql_where=sa.text("phone_blind <> ''"))
    op.create_table('delivery',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('event_id', sa.Uuid(), nullable=False),
    sa.Column('subscriber', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('generation', sa.SmallInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'pending'"), nullable=False),
    sa.Column('attempts', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('guard_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_token', sa.Uuid(), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('last_error', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.CheckConstraint("state IN ('pending', 'running', 'unknown', 'parked', 'done', 'dead', 'skipped')", name=op.f('ck_delivery_state')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_delivery')),
    sa.UniqueConstraint('tenant_id', 'event_id', 'subscriber', 'generation', name=op.f('uq_delivery_tenant_id_event_id_subscriber_generation')),
    postgresql_with={'fillfactor': 60, 'autovacuum_vacuum_scale_factor': 0.05}
    )
    op.create_index('ix_delivery_due', 'delivery', ['tenant_id', 'subscriber', 'next_at', 'id'], unique=False, postgresql_where=sa.text("state IN ('pending', 'unknown')"))
    op.create_index('ix_delivery_lease', 'delivery', ['lease_until'], unique=False, postgresql_where=sa.text("state = 'running'"))
    op.create_index('ix_delivery_order', 'delivery', ['tenant_id', 'subscriber', 'subject', 'seq'], unique=False, postgresql_where=sa.text("state NOT IN ('done', 'skipped')"))
    op.create_index('ix_delivery_stopped', 'delivery', ['tenant_id', 'state', 'id'], unique=False, postgresql_where=sa.text("state IN ('dead', 'parked')"))
    op.create_table('event',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('subject_type', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('version', sa.SmallInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('payload', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('trace', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('actor', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('occurred_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_event')),
    sa.UniqueConstraint('tenant_id', 'subject_type', 'subject_id', 'seq', name=op.f('uq_event_tenant_id_subject_type_subject_id_seq'))
    )
    op.create_table('idempotency_key',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('fingerprint', sa.Text(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('location', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('body', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_idempotency_key')),
    sa.UniqueConstraint('tenant_id', 'actor', 'key', name=op.f('uq_idempotency_key_tenant_id_actor_key'))
    )
    op.create_index('ix_idempotency_key_at', 'idempotency_key', ['tenant_id', 'made_at'], unique=False, postgresql_where=None)
    op.create_table('inbox',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('headers', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('raw', postgresql.BYTEA(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('tenant_id', 'source', 'external_id', name=op.f('uq_inbox_tenant_id_source_external_id'))
    )
    op.create_table('invitation',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('role_codes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('invited_by', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('tenant_id', 'token_hash', name=op.f('uq_invitation_tenant_id_token_hash'))
    )
    op.create_table('list_layout',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('entity', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Text(), nullable=False),
    sa.Column('columns', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_list_layout')),
    sa.UniqueConstraint('tenant_id', 'entity', 'user_id', name=op.f('uq_list_layout_tenant_id_entity_user_id'))
    )
    op.create_table('login_throttle',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_login_throttle'))
    )
    op.create_table('number_block',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('series', sa.Text(), nullable=False),
    sa.Column('next_value', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_number_block')),
    sa.UniqueConstraint('tenant_id', 'series', name=op.f('uq_number_block_tenant_id_series'))
    )
    op.create_table('order_tag',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), server_default=sa.text("'neutral'"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_order_tag')),
    sa.UniqueConstraint('tenant_id', 'name', name=op.f('uq_order_tag_tenant_id_name'))
    )
    op.create_table('plugin_breaker',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('plugin', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'closed'"), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('window_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('calls', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('failures', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('successes', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('openings', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('tokens', sa.Numeric(precision=12, scale=3), nullable=True),
    sa.Column('filled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('closed', 'open', 'half_open')", name=op.f('ck_plugin_breaker_state')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_breaker')),
    sa.UniqueConstraint('tenant_id', 'plugin', 'target', name=op.f('uq_plugin_breaker_tenant_id_plugin_target'))
    )
    op.create_table('plugin_call',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('plugin', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('elapsed_ms', sa.Integer(), nullable=False),
    sa.Column('subject', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('trace', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('detail', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_call'))
    )
    op.create_index('ix_plugin_call_plugin', 'plugin_call', ['tenant_id', 'plugin', 'id'], unique=False, postgresql_where=None)
    op.create_table('plugin_egress',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('plugin', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), server_default=sa.text("'main'"), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('host', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_egress')),
    sa.UniqueConstraint('tenant_id', 'plugin', 'instance', 'reference', name=op.f('uq_plugin_egress_tenant_id_plugin_instance_reference'))
    )
    op.create_table('plugin_instance',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('plugin', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), server_default=sa.text("'main'"), nullable=False),
    sa.Column('title', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'draft'"), nullable=False),
    sa.Column('mode', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('priority', sa.Integer(), server_default=sa.text('100'), nullable=False),
    sa.Column('active_version', sa.Integer(), nullable=True),
    sa.Column('health', sa.Text(), server_default=sa.text("'ok'"), nullable=False),
    sa.Column('health_message', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('health_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('first_enabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint("state IN ('draft', 'enabled', 'paused', 'disabling', 'disabled', 'purged')", name=op.f('ck_plugin_instance_state')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_instance')),
    sa.UniqueConstraint('tenant_id', 'plugin', 'instance', name=op.f('uq_plugin_instance_tenant_id_plugin_instance'))
    )
    op.create_table('plugin_package',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('fault_code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('fault_message', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('manifest', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('form', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plugin_package'))
    )
    op.create_table('plugin_problem',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('plugin', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('severity', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('facts', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('fix', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('count', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.Column('affected', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('subjects', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('first_seen', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('last_seen', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("severity IN ('info', 'warning', 'error', 'critical')", name=op.f('ck_plugin_problem_severity')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_problem')),
    sa.UniqueConstraint('tenant_id', 'plugin', 'instance', 'key', name=op.f('uq_plugin_problem_tenant_id_plugin_instance_key'))
    )
    op.create_table('plugin_use',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('plugin', sa.Text(), nullable=False),
    sa.Column('instance', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('hour', sa.DateTime(timezone=True), nullable=False),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('total_ms', sa.Integer(), nullable=False),
    sa.Column('max_ms', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_use')),
    sa.UniqueConstraint('tenant_id', 'plugin', 'instance', 'kind', 'name', 'hour', name=op.f('uq_plugin_use_tenant_id_plugin_instance_kind_name_hour'))
    )
    op.create_table('product',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('brand', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_product')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_product_tenant_id_code'))
    )
    op.create_index('ix_product_title', 'product', ['tenant_id', 'title'], unique=False, postgresql_where=None)
    op.create_table('reveal',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('subject_type', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=False),
    sa.Column('fields', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor_kind', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.Text(), nullable=False),
    sa.Column('actor_label', sa.Text(), nullable=False),
    sa.Column('revealed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_reveal'))
    )
    op.create_index('ix_reveal_at', 'reveal', ['tenant_id', 'revealed_at'], unique=False, postgresql_where=None)
    op.create_index('ix_reveal_subject', 'reveal', ['tenant_id', 'subject_type', 'subject_id'], unique=False, postgresql_where=None)
    op.create_table('role',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('patterns', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('is_seed', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_role')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_role_tenant_id_code'))
    )
    op.create_table('schedule_tick',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('task', sa.Text(), nullable=False),
    sa.Column('tick', sa.DateTime(timezone=True), nullable=False),
    sa.Column('fired_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_schedule_tick')),
    sa.UniqueConstraint('tenant_id', 'task', 'tick', name=op.f('uq_schedule_tick_tenant_id_task_tick'))
    )
    op.create_table('search_token',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('entity', sa.Text(), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'entity', 'token', 'record_id', name=op.f('pk_search_token'))
    )
    op.create_index('ix_search_token_record', 'search_token', ['tenant_id', 'record_id'], unique=False, postgresql_where=None)
    op.create_table('shop',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('marketplace', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('instance', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('pulls_orders', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('pushes_stock', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('pushes_shipments', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('stock_share', sa.Integer(), server_default=sa.text('100'), nullable=False),
    sa.Column('stock_fixed', sa.Integer(), nullable=True),
    sa.Column('stock_safety', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('carriers', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint('stock_safety >= 0', name=op.f('ck_shop_stock_safety')),
    sa.CheckConstraint('stock_share BETWEEN 0 AND 100', name=op.f('ck_shop_stock_share')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_shop')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_shop_tenant_id_code'))
    )
    op.create_index('uq_shop_instance', 'shop', ['tenant_id', 'marketplace', 'instance'], unique=True, postgresql_where=sa.text("marketplace <> ''"))
    op.create_table('stock_ledger',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('sku_id', sa.Uuid(), nullable=False),
    sa.Column('warehouse_id', sa.Uuid(), nullable=False),
    sa.Column('delta', sa.Numeric(precision=18, scale=6), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('actor', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("delta <> 0 AND delta <> 'NaN'", name=op.f('ck_stock_ledger_delta')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_stock_ledger')),
    sa.UniqueConstraint('tenant_id', 'reason', 'reference', 'sku_id', 'warehouse_id', name='uq_stock_ledger_once')
    )
    op.create_index('ix_stock_ledger_sku', 'stock_ledger', ['tenant_id', 'sku_id', 'warehouse_id', 'id'], unique=False, postgresql_where=None)
    op.create_table('tenant',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('currency', sa.Text(), server_default=sa.text("'CNY'"), nullable=False),
    sa.Column('locale', sa.Text(), server_default=sa.text("'zh'"), nullable=False),
    sa.Column('timezone', sa.Text(), server_default=sa.text("'Asia/Shanghai'"), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('is_demo', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('epoch', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.Column('data_key', sa.LargeBinary(), nullable=True),
    sa.Column('settings', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,39}$'", name=op.f('ck_tenant_slug')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenant')),
    sa.UniqueConstraint('slug', name=op.f('uq_tenant_slug'))
    )
    op.create_table('vault_canary',
    sa.Column('key_id', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('key_id', name=op.f('pk_vault_canary'))
    )
    op.create_table('warehouse',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('priority', sa.Integer(), server_default=sa.text('100'), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('province', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('city', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_warehouse')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_warehouse_tenant_id_code'))
    )
    op.create_table('ab_api_key',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('uuid', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=256), nullable=False),
    sa.Column('key_hash', sa.String(length=256), nullable=False),
    sa.Column('lookup_hash', sa.String(length=256), nullable=True),
    sa.Column('key_prefix', sa.String(length=16), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('scopes', sa.Text(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_on', sa.DateTime(), nullable=True),
    sa.Column('expires_on', sa.DateTime(), nullable=True),
    sa.Column('revoked_on', sa.DateTime(), nullable=True),
    sa.Column('last_used_on', sa.DateTime(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('lookup_hash'),
    sa.UniqueConstraint('uuid')
    )
    op.create_index('idx_api_key_lookup_hash', 'ab_api_key', ['lookup_hash'], unique=True)
    op.create_index('idx_api_key_prefix', 'ab_api_key', ['key_prefix'], unique=False)
    op.create_index('idx_api_key_user_id', 'ab_api_key', ['user_id'], unique=False)
    op.create_table('ab_group_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['group_id'], ['ab_group.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role_id'], ['ab_role.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('group_id', 'role_id')
    )
    op.create_index('idx_group_id', 'ab_group_role', ['group_id'], unique=False)
    op.create_index('idx_group_role_id', 'ab_group_role', ['role_id'], unique=False)
    op.create_table('ab_permission_view',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('permission_id', sa.Integer(), nullable=False),
    sa.Column('view_menu_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['permission_id'], ['ab_permission.id'], ),
    sa.ForeignKeyConstraint(['view_menu_id'], ['ab_view_menu.id'], ),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('permission_id', 'view_menu_id')
    )
    op.create_index('idx_permission_id', 'ab_permission_view', ['permission_id'], unique=False)
    op.create_index('idx_view_menu_id', 'ab_permission_view', ['view_menu_id'], unique=False)
    op.create_table('ab_user_group',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('group_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['group_id'], ['ab_group.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('user_id', 'group_id')
    )
    op.create_index('idx_user_group_id', 'ab_user_group', ['group_id'], unique=False)
    op.create_index('idx_user_id', 'ab_user_group', ['user_id'], unique=False)
    op.create_table('ab_user_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['role_id'], ['ab_role.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('user_id', 'role_id')
    )
    op.create_table('account',
    sa.Column('user_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('epoch', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('is_operator', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('must_change', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('locale', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('timezone', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('password_changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_account_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_account'))
    )
    op.create_table('address',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('label', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('country', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('province', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('city', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('district', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('postcode', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('name_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('phone_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('street_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('is_default', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.tenant_id', 'customer.id'], name=op.f('fk_address_tenant_id_customer_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_address'))
    )
    op.create_index('ix_address_customer', 'address', ['tenant_id', 'customer_id'], unique=False, postgresql_where=None)
    op.create_table('bulk_run_row',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('subject_id', sa.Uuid(), nullable=False),
    sa.Column('chunk', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
    sa.Column('code', sa.Text(), nullable=True),
    sa.Column('message', sa.Text(), nullable=True),
    sa.Column('facts', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id', 'run_id'], ['bulk_run.tenant_id', 'bulk_run.id'], name=op.f('fk_bulk_run_row_tenant_id_run_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_bulk_run_row')),
    sa.UniqueConstraint('tenant_id', 'run_id', 'subject_id', name=op.f('uq_bulk_run_row_tenant_id_run_id_subject_id'))
    )
    op.create_index('ix_bulk_run_row_state', 'bulk_run_row', ['tenant_id', 'run_id', 'state', 'id'], unique=False, postgresql_where=None)
    op.create_index('ix_bulk_run_row_waiting', 'bulk_run_row', ['tenant_id', 'run_id', 'chunk'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_table('channel_cursor',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('stream', sa.Text(), nullable=False),
    sa.Column('watermark', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_channel_cursor_tenant_id_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_channel_cursor')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'stream', name=op.f('uq_channel_cursor_tenant_id_shop_id_stream'))
    )
    op.create_table('channel_document',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('revision', sa.Text(), nullable=False),
    sa.Column('modified_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'stored'"), nullable=False),
    sa.Column('cause', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('detail', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_channel_document_tenant_id_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_channel_document')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'kind', 'external_id', 'revision', name=op.f('uq_channel_document_tenant_id_shop_id_kind_external_id_revision'))
    )
    op.create_index('ix_channel_document_external', 'channel_document', ['tenant_id', 'external_id'], unique=False, postgresql_where=None)
    op.create_index('ix_channel_document_open', 'channel_document', ['tenant_id', 'state', 'received_at'], unique=False, postgresql_where=sa.text("state IN ('stored', 'parked')"))
    op.create_table('channel_push',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('reference', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=True),
    sa.Column('body', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
    sa.Column('code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('message', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_channel_push_tenant_id_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_channel_push')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'kind', 'reference', name=op.f('uq_channel_push_tenant_id_shop_id_kind_reference'))
    )
    op.create_index('ix_channel_push_open', 'channel_push', ['tenant_id', 'state', 'updated_at'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'refused', 'unknown')"))
    op.create_index('ix_channel_push_order', 'channel_push', ['tenant_id', 'order_id'], unique=False, postgresql_where=None)
    op.create_table('channel_sync_run',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('stream', sa.Text(), nullable=False),
    sa.Column('cause', sa.Text(), server_default=sa.text("'schedule'"), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'running'"), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=True),
    sa.Column('window_end', sa.DateTime(timezone=True), nullable=True),
    sa.Column('counts', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('error_code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('error_text', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_channel_sync_run_tenant_id_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_channel_sync_run'))
    )
    op.create_index('ix_channel_sync_run_shop', 'channel_sync_run', ['tenant_id', 'shop_id', 'started_at'], unique=False, postgresql_where=None)
    op.create_table('channel_unmapped',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('affected', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('mapped_to', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('mapped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_channel_unmapped_tenant_id_shop_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_channel_unmapped')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'kind', 'value', name=op.f('uq_channel_unmapped_tenant_id_shop_id_kind_value'))
    )
    op.create_table('customer_identity',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.tenant_id', 'customer.id'], name=op.f('fk_customer_identity_tenant_id_customer_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_customer_identity')),
    sa.UniqueConstraint('tenant_id', 'source', 'external_id', name=op.f('uq_customer_identity_tenant_id_source_external_id'))
    )
    op.create_index('ix_customer_identity_customer', 'customer_identity', ['tenant_id', 'customer_id'], unique=False, postgresql_where=None)
    op.create_table('login_session',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('epoch', sa.BigInteger(), nullable=False),
    sa.Column('is_api', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('address', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('agent', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_login_session_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_login_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_login_session_token_hash'))
    )
    op.create_index('ix_login_session_user_id', 'login_session', ['user_id'], unique=False)
    op.create_table('membership',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_membership_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_membership')),
    sa.UniqueConstraint('tenant_id', 'user_id', name=op.f('uq_membership_tenant_id_user_id'))
    )
    op.create_index('ix_membership_user_id', 'membership', ['user_id'], unique=False)
    op.create_table('password_reset',
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_password_reset_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_password_reset'))
    )
    op.create_index('ix_password_reset_user_id', 'password_reset', ['user_id'], unique=False)
    op.create_table('plugin_config',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('instance_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('values', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('secrets', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('plugin_version', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('author', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('tested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('test_message', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('is_test_ok', sa.Boolean(), nullable=True),
    sa.Column('activated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'instance_id'], ['plugin_instance.tenant_id', 'plugin_instance.id'], name=op.f('fk_plugin_config_tenant_id_instance_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_config')),
    sa.UniqueConstraint('tenant_id', 'instance_id', 'version', name=op.f('uq_plugin_config_tenant_id_instance_id_version'))
    )
    op.create_table('plugin_secret',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('instance_id', sa.Uuid(), nullable=False),
    sa.Column('field', sa.Text(), nullable=False),
    sa.Column('sealed', postgresql.BYTEA(), nullable=False),
    sa.Column('hint', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'instance_id'], ['plugin_instance.tenant_id', 'plugin_instance.id'], name=op.f('fk_plugin_secret_tenant_id_instance_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_plugin_secret'))
    )
    op.create_index('ix_plugin_secret_instance', 'plugin_secret', ['tenant_id', 'instance_id'], unique=False, postgresql_where=None)
    op.create_table('sales_order',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'placed'"), nullable=False),
    sa.Column('payment', sa.Text(), server_default=sa.text("'unpaid'"), nullable=False),
    sa.Column('fulfilment', sa.Text(), server_default=sa.text("'none'"), nullable=False),
    sa.Column('channel_state', sa.Text(), nullable=False),
    sa.Column('channel_modified_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('hold_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('hold_code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('goods_total', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('discount_total', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('postage', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('paid_total', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('refunded_total', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('line_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('quantity_total', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ship_by', sa.DateTime(timezone=True), nullable=True),
    sa.Column('shipped_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_reason', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('customer_id', sa.Uuid(), nullable=True),
    sa.Column('buyer_masked', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('receiver_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('receiver_masked', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('receiver_phone_blind', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('province', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('city', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('buyer_note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('seller_note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('seller_flag', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('tags', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('replaces', sa.Text(), nullable=True),
    sa.Column('replaced_by_id', sa.Uuid(), nullable=True),
    sa.Column('is_on_delivery', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('source', sa.Text(), server_default=sa.text("'channel'"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint("fulfilment IN ('none', 'reserved', 'shipped_partly', 'shipped', 'delivered')", name=op.f('ck_sales_order_fulfilment')),
    sa.CheckConstraint("paid_total <> 'NaN' AND postage <> 'NaN' AND refunded_total <> 'NaN'", name=op.f('ck_sales_order_finite')),
    sa.CheckConstraint("payment IN ('unpaid', 'deposit', 'paid', 'on_delivery', 'partly_refunded', 'refunded')", name=op.f('ck_sales_order_payment')),
    sa.CheckConstraint("state IN ('placed', 'paid', 'approved', 'allocated', 'picking', 'shipped', 'delivered', 'completed', 'cancelled')", name=op.f('ck_sales_order_state')),
    sa.CheckConstraint('hold_count >= 0', name=op.f('ck_sales_order_hold_count')),
    sa.ForeignKeyConstraint(['tenant_id', 'customer_id'], ['customer.tenant_id', 'customer.id'], name=op.f('fk_sales_order_tenant_id_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'replaced_by_id'], ['sales_order.tenant_id', 'sales_order.id'], name=op.f('fk_sales_order_tenant_id_replaced_by_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_sales_order_tenant_id_shop_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_sales_order')),
    sa.UniqueConstraint('tenant_id', 'number', name=op.f('uq_sales_order_tenant_id_number')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'external_id', name=op.f('uq_sales_order_tenant_id_shop_id_external_id'))
    )
    op.create_index('ix_order_customer', 'sales_order', ['tenant_id', 'customer_id', 'placed_at'], unique=False, postgresql_where=None)
    op.create_index('ix_order_held', 'sales_order', ['tenant_id', 'hold_code', 'placed_at', 'id'], unique=False, postgresql_where=sa.text('hold_count > 0'))
    op.create_index('ix_order_phone', 'sales_order', ['tenant_id', 'receiver_phone_blind'], unique=False, postgresql_where=sa.text("receiver_phone_blind <> ''"))
    op.create_index('ix_order_placed', 'sales_order', ['tenant_id', 'placed_at', 'id'], unique=False, postgresql_where=None)
    op.create_index('ix_order_replaces', 'sales_order', ['tenant_id', 'shop_id', 'replaces'], unique=False, postgresql_where=sa.text('replaces IS NOT NULL'))
    op.create_index('ix_order_ship_by', 'sales_order', ['tenant_id', 'ship_by', 'id'], unique=False, postgresql_where=sa.text("state IN ('paid', 'approved', 'allocated', 'picking')"))
    op.create_index('ix_order_shop', 'sales_order', ['tenant_id', 'shop_id', 'placed_at', 'id'], unique=False, postgresql_where=None)
    op.create_index('ix_order_state', 'sales_order', ['tenant_id', 'state', 'placed_at', 'id'], unique=False, postgresql_where=None)
    op.create_table('security_event',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=True),
    sa.Column('address', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('agent', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('occurred_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['ab_user.id'], name=op.f('fk_security_event_user_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_security_event'))
    )
    op.create_index('ix_security_event_user_id', 'security_event', ['user_id', 'id'], unique=False)
    op.create_table('sku',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('product_id', sa.Uuid(), nullable=True),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('variant', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('kind', sa.Text(), server_default=sa.text("'simple'"), nullable=False),
    sa.Column('unit', sa.Text(), server_default=sa.text("'piece'"), nullable=False),
    sa.Column('price', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('currency', sa.Text(), server_default=sa.text("'CNY'"), nullable=False),
    sa.Column('weight_g', sa.Integer(), nullable=True),
    sa.Column('is_stocked', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint("kind IN ('simple', 'kit')", name=op.f('ck_sku_kind')),
    sa.CheckConstraint("price >= 0 AND price <> 'NaN'", name=op.f('ck_sku_price')),
    sa.ForeignKeyConstraint(['tenant_id', 'product_id'], ['product.tenant_id', 'product.id'], name=op.f('fk_sku_tenant_id_product_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_sku')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_sku_tenant_id_code'))
    )
    op.create_index('ix_sku_product', 'sku', ['tenant_id', 'product_id'], unique=False, postgresql_where=None)
    op.create_table('ab_permission_view_role',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('permission_view_id', sa.Integer(), nullable=True),
    sa.Column('role_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['permission_view_id'], ['ab_permission_view.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['role_id'], ['ab_role.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('permission_view_id', 'role_id')
    )
    op.create_index('idx_permission_view_id', 'ab_permission_view_role', ['permission_view_id'], unique=False)
    op.create_index('idx_role_id', 'ab_permission_view_role', ['role_id'], unique=False)
    op.create_table('api_token',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('membership_id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('prefix', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'membership_id'], ['membership.tenant_id', 'membership.id'], name=op.f('fk_api_token_tenant_id_membership_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('tenant_id', 'token_hash', name=op.f('uq_api_token_tenant_id_token_hash'))
    )
    op.create_index('ix_api_token_membership_id', 'api_token', ['tenant_id', 'membership_id'], unique=False, postgresql_where=None)
    op.create_table('barcode',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('sku_id', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'sku_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_barcode_tenant_id_sku_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_barcode')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_barcode_tenant_id_code'))
    )
    op.create_index('ix_barcode_sku', 'barcode', ['tenant_id', 'sku_id'], unique=False, postgresql_where=None)
    op.create_table('kit_item',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('kit_id', sa.Uuid(), nullable=False),
    sa.Column('component_id', sa.Uuid(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=18, scale=6), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name=op.f('ck_kit_item_quantity')),
    sa.CheckConstraint('kit_id <> component_id', name=op.f('ck_kit_item_not_itself')),
    sa.ForeignKeyConstraint(['tenant_id', 'component_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_kit_item_tenant_id_component_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'kit_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_kit_item_tenant_id_kit_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_kit_item')),
    sa.UniqueConstraint('tenant_id', 'kit_id', 'component_id', name=op.f('uq_kit_item_tenant_id_kit_id_component_id'))
    )
    op.create_table('membership_role',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('membership_id', sa.Uuid(), nullable=False),
    sa.Column('role_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'membership_id'], ['membership.tenant_id', 'membership.id'], name=op.f('fk_membership_role_tenant_id_membership_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id', 'role_id'], ['role.tenant_id', 'role.id'], name=op.f('fk_membership_role_tenant_id_role_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_membership_role')),
    sa.UniqueConstraint('tenant_id', 'membership_id', 'role_id', name=op.f('uq_membership_role_tenant_id_membership_id_role_id'))
    )
    op.create_index('ix_membership_role_role_id', 'membership_role', ['tenant_id', 'role_id'], unique=False, postgresql_where=None)
    op.create_table('order_hold',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('facts', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('placed_by', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('release_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('released_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('released_by', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('release_note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['sales_order.tenant_id', 'sales_order.id'], name=op.f('fk_order_hold_tenant_id_order_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_order_hold'))
    )
    op.create_index('ix_order_hold_code', 'order_hold', ['tenant_id', 'code', 'placed_at'], unique=False, postgresql_where=sa.text('released_at IS NULL'))
    op.create_index('ix_order_hold_order', 'order_hold', ['tenant_id', 'order_id'], unique=False, postgresql_where=None)
    op.create_index('uq_order_hold_open', 'order_hold', ['tenant_id', 'order_id', 'code'], unique=True, postgresql_where=sa.text('released_at IS NULL'))
    op.create_table('order_line',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('external_key', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('seller_code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('sku_id', sa.Uuid(), nullable=True),
    sa.Column('title', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('variant', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=18, scale=6), nullable=False),
    sa.Column('reserved', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('shipped', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('cancelled', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('unit_price', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('paid_amount', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('channel_state', sa.Text(), nullable=False),
    sa.Column('refund_state', sa.Text(), server_default=sa.text("'none'"), nullable=False),
    sa.Column('is_gift', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name=op.f('ck_order_line_quantity')),
    sa.CheckConstraint('reserved + shipped + cancelled <= quantity', name=op.f('ck_order_line_within_ordered')),
    sa.CheckConstraint('reserved >= 0 AND shipped >= 0 AND cancelled >= 0', name=op.f('ck_order_line_not_negative')),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['sales_order.tenant_id', 'sales_order.id'], name=op.f('fk_order_line_tenant_id_order_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id', 'sku_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_order_line_tenant_id_sku_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_order_line')),
    sa.UniqueConstraint('tenant_id', 'order_id', 'external_id', name=op.f('uq_order_line_tenant_id_order_id_external_id'))
    )
    op.create_index('ix_order_line_sku', 'order_line', ['tenant_id', 'sku_id'], unique=False, postgresql_where=None)
    op.create_index('ix_order_line_unmatched', 'order_line', ['tenant_id', 'external_key'], unique=False, postgresql_where=sa.text('sku_id IS NULL'))
    op.create_table('order_note',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('author_id', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('written_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['sales_order.tenant_id', 'sales_order.id'], name=op.f('fk_order_note_tenant_id_order_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_order_note'))
    )
    op.create_index('ix_order_note_order', 'order_note', ['tenant_id', 'order_id', 'id'], unique=False, postgresql_where=None)
    op.create_table('order_refund',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=True),
    sa.Column('order_external_id', sa.Text(), nullable=False),
    sa.Column('external_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), server_default=sa.text("'refund_only'"), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('channel_state', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('amount', sa.Numeric(precision=19, scale=4), server_default=sa.text('0'), nullable=False),
    sa.Column('currency', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('line_external_ids', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('channel_modified_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("amount >= 0 AND amount <> 'NaN'", name=op.f('ck_order_refund_amount')),
    sa.CheckConstraint("state IN ('requested', 'refused', 'closed', 'done')", name=op.f('ck_order_refund_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['sales_order.tenant_id', 'sales_order.id'], name=op.f('fk_order_refund_tenant_id_order_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id', 'shop_id'], ['shop.tenant_id', 'shop.id'], name=op.f('fk_order_refund_tenant_id_shop_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_order_refund')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'external_id', name=op.f('uq_order_refund_tenant_id_shop_id_external_id'))
    )
    op.create_index('ix_order_refund_order', 'order_refund', ['tenant_id', 'order_id'], unique=False, postgresql_where=None)
    op.create_index('ix_order_refund_waiting', 'order_refund', ['tenant_id', 'shop_id', 'order_external_id'], unique=False, postgresql_where=sa.text('order_id IS NULL'))
    op.create_table('reservation',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('sku_id', sa.Uuid(), nullable=False),
    sa.Column('warehouse_id', sa.Uuid(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=18, scale=6), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'active'"), nullable=False),
    sa.Column('reserved_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name=op.f('ck_reservation_quantity')),
    sa.CheckConstraint("state IN ('active', 'consumed', 'released')", name=op.f('ck_reservation_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'sku_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_reservation_tenant_id_sku_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'warehouse_id'], ['warehouse.tenant_id', 'warehouse.id'], name=op.f('fk_reservation_tenant_id_warehouse_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_reservation')),
    sa.UniqueConstraint('tenant_id', 'owner', 'sku_id', 'warehouse_id', name=op.f('uq_reservation_tenant_id_owner_sku_id_warehouse_id'))
    )
    op.create_index('ix_reservation_active', 'reservation', ['tenant_id', 'sku_id'], unique=False, postgresql_where=sa.text("state = 'active'"))
    op.create_table('shipment',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('order_id', sa.Uuid(), nullable=False),
    sa.Column('warehouse_id', sa.Uuid(), nullable=True),
    sa.Column('carrier_id', sa.Uuid(), nullable=True),
    sa.Column('tracking_number', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('state', sa.Text(), server_default=sa.text("'dispatched'"), nullable=False),
    sa.Column('is_partial', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('dispatched_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('note', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.CheckConstraint("state IN ('dispatched', 'delivered', 'cancelled')", name=op.f('ck_shipment_state')),
    sa.ForeignKeyConstraint(['tenant_id', 'carrier_id'], ['carrier.tenant_id', 'carrier.id'], name=op.f('fk_shipment_tenant_id_carrier_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'order_id'], ['sales_order.tenant_id', 'sales_order.id'], name=op.f('fk_shipment_tenant_id_order_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'warehouse_id'], ['warehouse.tenant_id', 'warehouse.id'], name=op.f('fk_shipment_tenant_id_warehouse_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_shipment')),
    sa.UniqueConstraint('tenant_id', 'number', name=op.f('uq_shipment_tenant_id_number'))
    )
    op.create_index('ix_shipment_dispatched', 'shipment', ['tenant_id', 'dispatched_at', 'id'], unique=False, postgresql_where=None)
    op.create_index('ix_shipment_order', 'shipment', ['tenant_id', 'order_id'], unique=False, postgresql_where=None)
    op.create_index('ix_shipment_tracking', 'shipment', ['tenant_id', 'tracking_number'], unique=False, postgresql_where=sa.text("tracking_number <> ''"))
    op.create_table('sku_alias',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shop_id', sa.Uuid(), nullable=False),
    sa.Column('external_key', sa.Text(), nullable=False),
    sa.Column('external_product', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('external_sku', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('seller_code', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('title', sa.Text(), server_default=sa.text("''"), nullable=False),
    sa.Column('sku_id', sa.Uuid(), nullable=True),
    sa.Column('is_manual', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('seen_count', sa.Integer(), server_default=sa.text('0'), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('row_version', sa.BigInteger(), server_default=sa.text('1'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'sku_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_sku_alias_tenant_id_sku_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_sku_alias')),
    sa.UniqueConstraint('tenant_id', 'shop_id', 'external_key', name=op.f('uq_sku_alias_tenant_id_shop_id_external_key'))
    )
    op.create_index('ix_sku_alias_sku', 'sku_alias', ['tenant_id', 'sku_id'], unique=False, postgresql_where=None)
    op.create_index('ix_sku_alias_unmatched', 'sku_alias', ['tenant_id', 'shop_id', 'last_seen_at'], unique=False, postgresql_where=sa.text('sku_id IS NULL'))
    op.create_table('stock',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('sku_id', sa.Uuid(), nullable=False),
    sa.Column('warehouse_id', sa.Uuid(), nullable=False),
    sa.Column('on_hand', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('reserved', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('safety', sa.Numeric(precision=18, scale=6), server_default=sa.text('0'), nullable=False),
    sa.Column('alert_at', sa.Numeric(precision=18, scale=6), nullable=True),
    sa.Column('is_low', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand AND on_hand <> 'NaN'", name=op.f('ck_stock_never_oversold')),
    sa.CheckConstraint("safety >= 0 AND safety <> 'NaN'", name=op.f('ck_stock_safety')),
    sa.ForeignKeyConstraint(['tenant_id', 'sku_id'], ['sku.tenant_id', 'sku.id'], name=op.f('fk_stock_tenant_id_sku_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'warehouse_id'], ['warehouse.tenant_id', 'warehouse.id'], name=op.f('fk_stock_tenant_id_warehouse_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_stock')),
    sa.UniqueConstraint('tenant_id', 'sku_id', 'warehouse_id', name=op.f('uq_stock_tenant_id_sku_id_warehouse_id'))
    )
    op.create_table('parcel',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shipment_id', sa.Uuid(), nullable=False),
    sa.Column('carrier_id', sa.Uuid(), nullable=False),
    sa.Column('tracking_number', sa.Text(), nullable=False),
    sa.Column('weight_g', sa.Integer(), nullable=True),
    sa.Column('position', sa.Integer(), server_default=sa.text('1'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'carrier_id'], ['carrier.tenant_id', 'carrier.id'], name=op.f('fk_parcel_tenant_id_carrier_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'shipment_id'], ['shipment.tenant_id', 'shipment.id'], name=op.f('fk_parcel_tenant_id_shipment_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_parcel')),
    sa.UniqueConstraint('tenant_id', 'carrier_id', 'tracking_number', name=op.f('uq_parcel_tenant_id_carrier_id_tracking_number'))
    )
    op.create_index('ix_parcel_shipment', 'parcel', ['tenant_id', 'shipment_id'], unique=False, postgresql_where=None)
    op.create_table('shipment_line',
    sa.Column('tenant_id', sa.Integer(), server_default=sa.text("nullif(current_setting('app.tenant', true), '')::int"), nullable=False),
    sa.Column('id', sa.Uuid(), server_default=sa.text('uuidv7()'), nullable=False),
    sa.Column('shipment_id', sa.Uuid(), nullable=False),
    sa.Column('order_line_id', sa.Uuid(), nullable=False),
    sa.Column('quantity', sa.Numeric(precision=18, scale=6), nullable=False),
    sa.CheckConstraint("quantity > 0 AND quantity <> 'NaN'", name=op.f('ck_shipment_line_quantity')),
    sa.ForeignKeyConstraint(['tenant_id', 'order_line_id'], ['order_line.tenant_id', 'order_line.id'], name=op.f('fk_shipment_line_tenant_id_order_line_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'shipment_id'], ['shipment.tenant_id', 'shipment.id'], name=op.f('fk_shipment_line_tenant_id_shipment_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_shipment_line')),
    sa.UniqueConstraint('tenant_id', 'shipment_id', 'order_line_id', name=op.f('uq_shipment_line_tenant_id_shipment_id_order_line_id'))
    )
    _walls()


def _walls() -> None:
    op.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO oms_app")
    for table in TENANT_TABLES:
        _run(tenant_policy(table))
    for table in APPEND_ONLY:
        _run(append_only(table))
    for table in RELAY_TABLES:
        _run(relay_policy(table))
    for table, column in OWN_ROWS.items():
        _run(own_rows_policy(table, column))
    for table, grant in GLOBAL_TABLES.items():
        _run(global_table(table, app=grant))


def _run(statements: list[str]) -> None:
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table('shipment_line')
    op.drop_index('ix_parcel_shipment', table_name='parcel', postgresql_where=None)
    op.drop_table('parcel')
    op.drop_table('stock')
    op.drop_index('ix_sku_alias_unmatched', table_name='sku_alias', postgresql_where=sa.text('sku_id IS NULL'))
    op.drop_index('ix_sku_alias_sku', table_name='sku_alias', postgresql_where=None)
    op.drop_table('sku_alias')
    op.drop_index('ix_shipment_tracking', table_name='shipment', postgresql_where=sa.text("tracking_number <> ''"))
    op.drop_index('ix_shipment_order', table_name='shipment', postgresql_where=None)
    op.drop_index('ix_shipment_dispatched', table_name='shipment', postgresql_where=None)
    op.drop_table('shipment')
    op.drop_index('ix_reservation_active', table_name='reservation', postgresql_where=sa.text("state = 'active'"))
    op.drop_table('reservation')
    op.drop_index('ix_order_refund_waiting', table_name='order_refund', postgresql_where=sa.text('order_id IS NULL'))
    op.drop_index('ix_order_refund_order', table_name='order_refund', postgresql_where=None)
    op.drop_table('order_refund')
    op.drop_index('ix_order_note_order', table_name='order_note', postgresql_where=None)
    op.drop_table('order_note')
    op.drop_index('ix_order_line_unmatched', table_name='order_line', postgresql_where=sa.text('sku_id IS NULL'))
    op.drop_index('ix_order_line_sku', table_name='order_line', postgresql_where=None)
    op.drop_table('order_line')
    op.drop_index('uq_order_hold_open', table_name='order_hold', postgresql_where=sa.text('released_at IS NULL'))
    op.drop_index('ix_order_hold_order', table_name='order_hold', postgresql_where=None)
    op.drop_index('ix_order_hold_code', table_name='order_hold', postgresql_where=sa.text('released_at IS NULL'))
    op.drop_table('order_hold')
    op.drop_index('ix_membership_role_role_id', table_name='membership_role', postgresql_where=None)
    op.drop_table('membership_role')
    op.drop_table('kit_item')
    op.drop_index('ix_barcode_sku', table_name='barcode', postgresql_where=None)
    op.drop_table('barcode')
    op.drop_index('ix_api_token_membership_id', table_name='api_token', postgresql_where=None)
    op.drop_table('api_token')
    op.drop_index('idx_role_id', table_name='ab_permission_view_role')
    op.drop_index('idx_permission_view_id', table_name='ab_permission_view_role')
    op.drop_table('ab_permission_view_role')
    op.drop_index('ix_sku_product', table_name='sku', postgresql_where=None)
    op.drop_table('sku')
    op.drop_index('ix_security_event_user_id', table_name='security_event')
    op.drop_table('security_event')
    op.drop_index('ix_order_state', table_name='sales_order', postgresql_where=None)
    op.drop_index('ix_order_shop', table_name='sales_order', postgresql_where=None)
    op.drop_index('ix_order_ship_by', table_name='sales_order', postgresql_where=sa.text("state IN ('paid', 'approved', 'allocated', 'picking')"))
    op.drop_index('ix_order_replaces', table_name='sales_order', postgresql_where=sa.text('replaces IS NOT NULL'))
    op.drop_index('ix_order_placed', table_name='sales_order', postgresql_where=None)
    op.drop_index('ix_order_phone', table_name='sales_order', postgresql_where=sa.text("receiver_phone_blind <> ''"))
    op.drop_index('ix_order_held', table_name='sales_order', postgresql_where=sa.text('hold_count > 0'))
    op.drop_index('ix_order_customer', table_name='sales_order', postgresql_where=None)
    op.drop_table('sales_order')
    op.drop_index('ix_plugin_secret_instance', table_name='plugin_secret', postgresql_where=None)
    op.drop_table('plugin_secret')
    op.drop_table('plugin_config')
    op.drop_index('ix_password_reset_user_id', table_name='password_reset')
    op.drop_table('password_reset')
    op.drop_index('ix_membership_user_id', table_name='membership')
    op.drop_table('membership')
    op.drop_index('ix_login_session_user_id', table_name='login_session')
    op.drop_table('login_session')
    op.drop_index('ix_customer_identity_customer', table_name='customer_identity', postgresql_where=None)
    op.drop_table('customer_identity')
    op.drop_table('channel_unmapped')
    op.drop_index('ix_channel_sync_run_shop', table_name='channel_sync_run', postgresql_where=None)
    op.drop_table('channel_sync_run')
    op.drop_index('ix_channel_push_order', table_name='channel_push', postgresql_where=None)
    op.drop_index('ix_channel_push_open', table_name='channel_push', postgresql_where=sa.text("state IN ('waiting', 'refused', 'unknown')"))
    op.drop_table('channel_push')
    op.drop_index('ix_channel_document_open', table_name='channel_document', postgresql_where=sa.text("state IN ('stored', 'parked')"))
    op.drop_index('ix_channel_document_external', table_name='channel_document', postgresql_where=None)
    op.drop_table('channel_document')
    op.drop_table('channel_cursor')
    op.drop_index('ix_bulk_run_row_waiting', table_name='bulk_run_row', postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index('ix_bulk_run_row_state', table_name='bulk_run_row', postgresql_where=None)
    op.drop_table('bulk_run_row')
    op.drop_index('ix_address_customer', table_name='address', postgresql_where=None)
    op.drop_table('address')
    op.drop_table('account')
    op.drop_table('ab_user_role')
    op.drop_index('idx_user_id', table_name='ab_user_group')
    op.drop_index('idx_user_group_id', table_name='ab_user_group')
    op.drop_table('ab_user_group')
    op.drop_index('idx_view_menu_id', table_name='ab_permission_view')
    op.drop_index('idx_permission_id', table_name='ab_permission_view')
    op.drop_table('ab_permission_view')
    op.drop_index('idx_group_role_id', table_name='ab_group_role')
    op.drop_index('idx_group_id', table_name='ab_group_role')
    op.drop_table('ab_group_role')
    op.drop_index('idx_api_key_user_id', table_name='ab_api_key')
    op.drop_index('idx_api_key_prefix', table_name='ab_api_key')
    op.drop_index('idx_api_key_lookup_hash', table_name='ab_api_key')
    op.drop_table('ab_api_key')
    op.drop_table('warehouse')
    op.drop_table('vault_canary')
    op.drop_table('tenant')
    op.drop_index('ix_stock_ledger_sku', table_name='stock_ledger', postgresql_where=None)
    op.drop_table('stock_ledger')
    op.drop_index('uq_shop_instance', table_name='shop', postgresql_where=sa.text("marketplace <> ''"))
    op.drop_table('shop')
    op.drop_index('ix_search_token_record', table_name='search_token', postgresql_where=None)
    op.drop_table('search_token')
    op.drop_table('schedule_tick')
    op.drop_table('role')
    op.drop_index('ix_reveal_subject', table_name='reveal', postgresql_where=None)
    op.drop_index('ix_reveal_at', table_name='reveal', postgresql_where=None)
    op.drop_table('reveal')
    op.drop_index('ix_product_title', table_name='product', postgresql_where=None)
    op.drop_table('product')
    op.drop_table('plugin_use')
    op.drop_table('plugin_problem')
    op.drop_table('plugin_package')
    op.drop_table('plugin_instance')
    op.drop_table('plugin_egress')
    op.drop_index('ix_plugin_call_plugin', table_name='plugin_call', postgresql_where=None)
    op.drop_table('plugin_call')
    op.drop_table('plugin_breaker')
    op.drop_table('order_tag')
    op.drop_table('number_block')
    op.drop_table('login_throttle')
    op.drop_table('list_layout')
    op.drop_table('invitation')
    op.drop_table('inbox')
    op.drop_index('ix_idempotency_key_at', table_name='idempotency_key', postgresql_where=None)
    op.drop_table('idempotency_key')
    op.drop_table('event')
    op.drop_index('ix_delivery_stopped', table_name='delivery', postgresql_where=sa.text("state IN ('dead', 'parked')"))
    op.drop_index('ix_delivery_order', table_name='delivery', postgresql_where=sa.text("state NOT IN ('done', 'skipped')"))
    op.drop_index('ix_delivery_lease', table_name='delivery', postgresql_where=sa.text("state = 'running'"))
    op.drop_index('ix_delivery_due', table_name='delivery', postgresql_where=sa.text("state IN ('pending', 'unknown')"))
    op.drop_table('delivery')
    op.drop_index('ix_customer_phone', table_name='customer', postgresql_where=sa.text("phone_blind <> ''"))
    op.drop_index('ix_customer_email', table_name='customer', postgresql_where=sa.text("email_blind <> ''"))
    op.drop_table('customer')
    op.drop_table('carrier')
    op.drop_index('uq_bulk_run_request_key', table_name='bulk_run', postgresql_where=sa.text('request_key IS NOT NULL'))
    op.drop_table('bulk_run')
    op.drop_index('ix_audit_entry_subject', table_name='audit_entry', postgresql_where=None)
    op.drop_index('ix_audit_entry_actor', table_name='audit_entry', postgresql_where=None)
    op.drop_index('ix_audit_entry_action', table_name='audit_entry', postgresql_where=None)
    op.drop_table('audit_entry')
    op.drop_table('ab_view_menu')
    op.drop_table('ab_user')
    op.drop_table('ab_role')
    op.drop_table('ab_register_user')
    op.drop_table('ab_permission')
    op.drop_table('ab_group')
