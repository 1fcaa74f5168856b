"""`oms user`: accounts and who belongs where, for whoever runs the installation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from core.delivery.cli.database import Opened, opened
from core.delivery.cli.output import json_option, show, table
from core.runtime.security import accounts, invitations, members
from core.runtime.security.accounts import AccountUnknown, NewAccount, Person
from core.runtime.security.passwords import one_time_password
from core.runtime.security.sessions import announce_user
from core.runtime.tenancy.scope import Actor

OPERATOR = Actor("system", "", "operator")
ADMIN_NAME, ADMIN_EMAIL = "admin", "admin@orderloom.invalid"


@click.group(short_help="Make and list accounts, reset passwords, invite members.")
def command() -> None:
    """Accounts of people. They exist once for all tenants; memberships say where they may go."""


@command.command("ensure-admin", short_help="Make the first operator unless there is one.")
@json_option
def ensure_admin(as_json: bool) -> None:
    """Make the operator's account `admin` with a password that is printed this once. Doing it again changes nothing."""
    with opened("oms-user") as site:
        password = one_time_password()
        with site.database.platform() as session:
            found = next((person for person in accounts.people(session) if person.is_operator and person.is_active), None)
            if found is None:
                new = NewAccount(ADMIN_EMAIL, "Admin", password, username=ADMIN_NAME, is_operator=True)
                found = accounts.create_account(session, new)
                made = {"login": found.username, "password": password}
            else:
                made = {"login": found.username}
    text = f"{made['login']}   password {made['password']}   (shown once)" if "password" in made else f"{made['login']} exists already."
    show(made, text, as_json=as_json)


@command.command("create", short_help="Make an account with a one-time password.")
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--operator", is_flag=True, help="Lets the account run the installation.")
@click.option("--tenant", help="Short name of a tenant to make it a member of.")
@click.option("--role", "roles", multiple=True, default=("staff",), show_default=True, help="Role in that tenant; may be repeated.")
@json_option
def create(*, email: str, name: str, operator: bool, tenant: str | None, roles: tuple[str, ...], as_json: bool) -> None:
    """Make an account. The password is printed once and has to be changed at the first sign-in."""
    password = one_time_password()
    with opened("oms-user") as site:
        with site.database.platform() as session:
            person = accounts.create_account(session, NewAccount(email, name, password, is_operator=operator, must_change=True))
        if tenant:
            _join(site, person, tenant, roles)
    show(
        {"login": person.username, "password": password},
        f"{person.username}   password {password}   (shown once, to be changed at the first sign-in)",
        as_json=as_json,
    )


@command.command("add", short_help="Make an account a member of a tenant.")
@click.argument("login")
@click.argument("tenant")
@click.option("--role", "roles", multiple=True, default=("staff",), show_default=True, help="May be repeated.")
@json_option
def add(login: str, tenant: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Make the account LOGIN a member of TENANT."""
    with opened("oms-user") as site:
        person = _find(site, login)
        _join(site, person, tenant, roles)
    show(
        {"login": person.username, "tenant": tenant, "roles": list(roles)},
        f"{person.username} is now in {tenant} as {', '.join(roles)}.",
        as_json=as_json,
    )


@command.command("invite", short_help="Print a link with which somebody joins a tenant.")
@click.argument("email")
@click.argument("tenant")
@click.option("--role", "roles", multiple=True, default=("staff",), show_default=True, help="May be repeated.")
@json_option
def invite(email: str, tenant: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Print a link for EMAIL to join TENANT. It works once, for a week."""
    with opened("oms-user") as site, site.database.tenant(tenant, OPERATOR) as session:
        _, secret = invitations.invite(session, site.rights, email=email, role_codes=roles, now=datetime.now(UTC))
        link = site.link(f"/t/{tenant}/join/{secret}")
    show({"email": email, "tenant": tenant, "link": link}, link, as_json=as_json)


@command.command("password", short_help="Give an account a new one-time password.")
@click.argument("login")
@json_option
def password(login: str, as_json: bool) -> None:
    """Print a new password for LOGIN, once. All sign-ins of the account end; the password has to be changed at the next one."""
    fresh = one_time_password()
    with opened("oms-user") as site:
        person = _find(site, login)
        with site.database.platform() as session:
            accounts.set_password(session, person.user_id, fresh, now=datetime.now(UTC), must_change=True)
            accounts.record_event(session, "password_reset", person.user_id, agent="oms user password")
    show(
        {"login": person.username, "password": fresh},
        f"{person.username}   password {fresh}   (shown once, to be changed at the next sign-in)",
        as_json=as_json,
    )


@command.command("reset-link", short_help="Print a link for choosing a new password.")
@click.argument("login")
@json_option
def reset_link(login: str, as_json: bool) -> None:
    """Print a link with which LOGIN chooses a new password. It works once, for 30 minutes."""
    with opened("oms-user") as site:
        person = _find(site, login)
        with site.database.platform() as session:
            link = site.link(f"/reset/{accounts.make_reset_link(session, person.user_id, now=datetime.now(UTC))}")
    show({"login": person.username, "link": link}, link, as_json=as_json)


@command.command("switch", short_help="Let an account sign in, or no longer.")
@click.argument("login")
@click.argument("state", type=click.Choice(["on", "off"]))
@json_option
def switch(login: str, state: str, as_json: bool) -> None:
    """Switch LOGIN on or off in all tenants. Switching off ends all its sign-ins at once."""
    with opened("oms-user") as site:
        person = _find(site, login)
        with site.database.platform() as session:
            accounts.switch_account(session, person.user_id, is_active=state == "on")
    show({"login": person.username, "is_active": state == "on"}, f"{person.username} is {state}.", as_json=as_json)


@command.command("list", short_help="List accounts, or the members of a tenant.")
@click.option("--tenant", help="Only members of this tenant, with their roles.")
@json_option
def list_(tenant: str | None, as_json: bool) -> None:
    """List all accounts, or with --tenant the members of one tenant."""
    rows: list[dict[str, Any]]
    with opened("oms-user") as site:
        if tenant:
            with site.database.tenant(tenant, OPERATOR) as session:
                rows = [
                    {"email": one.email, "name": one.name, "active": one.is_active, "roles": ", ".join(one.role_codes)}
                    for one in members.members(session)
                ]
        else:
            rows = [_row(site, person) for person in _people(site)]
    show(rows, table(rows, list(rows[0]) if rows else ["email"]), as_json=as_json)


def _people(site: Opened) -> list[Person]:
    with site.database.platform() as session:
        return accounts.people(session)


def _row(site: Opened, person: Person) -> dict[str, Any]:
    with site.database.platform() as session:
        announce_user(session, person.user_id)
        tenants = ", ".join(place.slug for place in members.places_of(session, person.user_id))
    return {
        "login": person.username,
        "name": person.name,
        "active": person.is_active,
        "operator": person.is_operator,
        "tenants": tenants,
    }


def _find(site: Opened, login: str) -> Person:
    with site.database.platform() as session:
        person = accounts.find_person(session, login)
    if person is None:
        raise AccountUnknown(f"There is no account '{login}'. `oms user list` shows all of them.", login=login)
    return person


def _join(site: Opened, person: Person, tenant: str, roles: tuple[str, ...]) -> None:
    with site.database.tenant(tenant, OPERATOR) as session:
        members.add_member(session, site.rights, person.user_id, role_codes=roles)
