"""`oms tenant`: the businesses of the installation."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click
from sqlalchemy import select, update

from core.delivery.cli.database import opened
from core.delivery.cli.output import json_option, show, table
from core.delivery.cli.user import OPERATOR
from core.runtime.security import accounts, members, roles
from core.runtime.security.accounts import AccountUnknown
from core.runtime.security.roles import TenantPlan
from core.runtime.security.vault import vault_of
from core.runtime.tenancy.database import TenantUnknown
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import tenant_scope


@click.group(short_help="Make and list tenants, rotate their keys.")
def command() -> None:
    """Tenants: the businesses that share this installation and see nothing of each other."""


@command.command("create", short_help="Make a tenant with the usual roles.")
@click.argument("slug")
@click.argument("name")
@click.option("--currency", default="CNY", show_default=True, help="Three capital letters.")
@click.option("--locale", default="zh", show_default=True, type=click.Choice(["zh", "en"]), help="Language of members who chose none.")
@click.option("--timezone", default="Asia/Shanghai", show_default=True, help="Time zone of members who chose none.")
@click.option("--owner", help="Login of an account to be its owner.")
@json_option
def create(*, owner: str | None, as_json: bool, **given: Any) -> None:
    """Make the tenant SLUG (it stands in every address: /t/SLUG/) called NAME."""
    plan = TenantPlan(**given)
    with opened("oms-tenant") as site, site.database.platform() as session:
        person = accounts.find_person(session, owner) if owner else None
        if owner and person is None:
            raise AccountUnknown(f"There is no account '{owner}'. Make it first: oms user create", login=owner)
        scope = roles.create_tenant(session, plan)
        if person is not None:
            with tenant_scope(scope):
                members.add_member(session, site.rights, person.user_id, role_codes=["owner"])
        address = site.link(f"/t/{plan.slug}/")
    hint = "" if owner else f" Next: oms user invite EMAIL {plan.slug} --role owner"
    show({"id": scope.tenant_id, **asdict(plan), "address": address}, f"{plan.name} is ready at {address}.{hint}", as_json=as_json)


@command.command("list", short_help="List all tenants.")
@json_option
def list_(as_json: bool) -> None:
    """List all tenants, with the number of their members."""
    with opened("oms-tenant") as site:
        with site.database.platform() as session:
            found = session.execute(select(Tenant.slug, Tenant.name, Tenant.currency, Tenant.is_active).order_by(Tenant.slug))
            rows: list[dict[str, Any]] = [
                {"slug": one.slug, "name": one.name, "currency": one.currency, "active": one.is_active} for one in found
            ]
        for row in rows:
            if row["active"]:
                with site.database.tenant(row["slug"], OPERATOR) as session:
                    row["members"] = len(members.members(session))
    show(rows, table(rows, ["slug", "name", "currency", "active", "members"]), as_json=as_json)


@command.command("switch", short_help="Open a tenant, or close it.")
@click.argument("slug")
@click.argument("state", type=click.Choice(["on", "off"]))
@json_option
def switch(slug: str, state: str, as_json: bool) -> None:
    """Let SLUG's members in, or nobody; data stays as it is."""
    with opened("oms-tenant") as site, site.database.platform() as session:
        found = session.execute(
            update(Tenant).where(Tenant.slug == slug).values(is_active=state == "on", epoch=Tenant.epoch + 1).returning(Tenant.id)
        ).scalar_one_or_none()
        if found is None:
            raise TenantUnknown(slug=slug)
    show({"slug": slug, "is_active": state == "on"}, f"{slug} is {state}.", as_json=as_json)


@command.command("rotate-keys", short_help="Give tenants new data keys and lock them with the current master key.")
@click.argument("slugs", nargs=-1)
@click.option("--master-only", is_flag=True, help="Only change the master key that locks them; make no new data key.")
@json_option
def rotate_keys(slugs: tuple[str, ...], master_only: bool, as_json: bool) -> None:
    """Rotate the keys of SLUGS, or of all tenants.

    What is stored stays readable throughout. To retire a master key, put the new one before it in OMS_MASTER_KEY on every host, run this
    with --master-only, and then take the old one out.
    """
    rows: list[dict[str, Any]] = []
    with opened("oms-tenant") as site:
        with site.database.platform() as session:
            with_key = select(Tenant.slug).where(Tenant.is_active, Tenant.data_key.is_not(None)).order_by(Tenant.slug)
            known = list(session.scalars(with_key))
        for slug in slugs or known:
            with site.database.tenant(slug, OPERATOR) as session:
                vault = vault_of(session)
                number = None if master_only else vault.rotate_data_key(session)
                rows.append({"slug": slug, "relocked": vault.rewrap(session), "data_key": number or ""})
    show(rows, table(rows, ["slug", "data_key", "relocked"]), as_json=as_json)
