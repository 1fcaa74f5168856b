"""`oms demo`: two businesses to try things out in, with orders flowing."""

from __future__ import annotations

import importlib
import json
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import urllib3
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.schema import Settings
from core.delivery.cli.installation import running_installation
from core.delivery.cli.output import json_option, show
from core.domain.channels.service import ensure_shop
from core.kernel.errors import Unavailable
from core.runtime.plugin_host import configs, lifecycle
from core.runtime.plugin_host.instances import MAIN, find_instance
from core.runtime.plugin_host.packages import record_packages
from core.runtime.security import accounts, members, roles
from core.runtime.security.models import ApiToken
from core.runtime.security.tokens import NewToken, create_token, revoke_token
from core.runtime.tenancy.models import Tenant
from core.runtime.tenancy.scope import Actor, Scope

TEA = roles.TenantPlan("tea", "清风茶铺", "CNY", "zh", "Asia/Shanghai", is_demo=True)
GIFT = roles.TenantPlan("gift", "Harbour Gifts", "GBP", "en", "Europe/London", is_demo=True)
STAFF = {"tea": ("staff@tea.example", "王小茶", "staff"), "gift": ("staff@gift.example", "Sam Porter", "staff")}
KEY, SECRET, SESSION = "demo-app", "demo-app-secret-0001", "demo-session-0001"
SHOPS = {"taobao": "清风茶铺淘宝店", "jd": "清风茶铺京东店"}
SIMULATED = ("taobao", "jd")
DEFAULTS = ("demo_data", "notify_inapp")
TOKEN_TITLE = "Demo history feed"  # noqa: S105 - the title of a token, not one
FEED_BATCH = 200
LIVE_PER_S = {"taobao": "0.02", "jd": "0.01"}


class FeedRefused(Unavailable):
    """The site did not take the history."""

    code = "demo.feed_refused"


@click.group(short_help="Make demo businesses and feed them.")
def command() -> None:
    """Two businesses for trials: a tea shop on Taobao and JD, and a gift wholesaler with a week of real history."""


@command.command("seed", short_help="Make the demo businesses.")
@json_option
def seed(as_json: bool) -> None:
    """Make what is missing of the demo: businesses, people, goods, shops. Doing it again adds nothing twice."""
    with running_installation() as settings:
        system = importlib.import_module("app").compose(settings, name="oms-demo")
        with system.database.platform() as session:
            record_packages(session, system.plugins.host)
        admin = _admin(system)
        made: list[dict[str, Any]] = []
        programs: list[dict[str, Any]] = []
        for plan in (TEA, GIFT):
            scope = _tenant(system, plan, admin)
            made += _staff(system, scope)
            _switch_on_defaults(system, scope)
            if plan is TEA:
                programs += _connect_simulators(system, scope, settings)
            else:
                programs += _prepare_feed(system, scope, settings, admin)
        system.plugins.flush()
        system.database.dispose()
    told = [f"{row['login']}   password {row['password']}   (shown once)" for row in made if "password" in row]
    text = "\n".join(told) or "The demo is there already."
    show({"logins": made, "programs": programs}, text, as_json=as_json)


def _admin(system: Any) -> int:
    with system.database.platform() as session:
        return next(person.user_id for person in accounts.people(session) if person.is_operator)


def _tenant(system: Any, plan: roles.TenantPlan, admin: int) -> Scope:
    """The demo tenant's scope; the administrator is one of its owners."""
    with system.database.platform() as session:
        found = session.scalar(select(Tenant.id).where(Tenant.slug == plan.slug))
    if found is None:
        with system.database.platform() as session:
            found = roles.create_tenant(session, plan).tenant_id
    scope = Scope(found, plan.slug, Actor("user", str(admin), "Admin"))
    with system.database.unit(scope) as session:
        if all(member.user_id != admin for member in members.members(session)):
            members.add_member(session, system.rights, admin, role_codes=["owner"])
    return scope


def _staff(system: Any, scope: Scope) -> list[dict[str, Any]]:
    """One member of staff with a password that is shown once."""
    email, name, role = STAFF[scope.slug]
    with system.database.platform() as session:
        if accounts.find_person(session, email) is not None:
            return [{"login": email}]
        password = importlib.import_module("core.runtime.security.passwords").one_time_password()
        person = accounts.create_account(session, accounts.NewAccount(email, name, password))
    with system.database.unit(scope) as session:
        members.add_member(session, system.rights, person.user_id, role_codes=[role])
    return [{"login": email, "password": password, "tenant": scope.slug}]


def _switch_on_defaults(system: Any, scope: Scope) -> None:
    for plugin in DEFAULTS:
        if plugin in system.plugins.host.loaded:
            with system.database.unit(scope) as session:
                lifecycle.enable(session, system.plugins, plugin)


def _connect_simulators(system: Any, scope: Scope, settings: Settings) -> list[dict[str, Any]]:
    """Switch the marketplaces on, with simulators for shops; a simulator is a program that runs beside the site."""
    programs = []
    for plugin in SIMULATED:
        if plugin not in system.plugins.host.loaded:
            continue
        port = _port(settings.data_dir / f"demo-{plugin}.port")
        path = "/router/rest" if plugin == "taobao" else "/routerjson"
        token = {"session": SESSION} if plugin == "taobao" else {"access_token": SESSION}
        values = {"app_key": KEY, "app_secret": SECRET, "gateway": f"http://127.0.0.1:{port}{path}", **token}
        with system.database.unit(scope) as session:
            configs.save_draft(session, system.plugins, plugin, values, note="demo")
            configs.activate(session, system.plugins, plugin, is_test_needed=False)
            ensure_shop(session, marketplace=plugin, instance=MAIN, title=SHOPS[plugin], currency=TEA.currency)
            row = find_instance(session, plugin)
            if row is None or row.first_enabled_at is None:
                lifecycle.enable(session, system.plugins, plugin)
        seed_number = str(int(time.time()) % 1_000_000)
        programs.append(
            {
                "name": plugin,
                "arguments": [
                    "simulator", plugin, "--port", str(port), "--app-key", KEY, "--secret", SECRET, "--session", SESSION,
                    "--orders", "80", "--seed", seed_number, "--live", LIVE_PER_S[plugin],
                ],
            }
        )  # fmt: skip
    return programs


def _port(note: Path) -> int:
    """A port that is free now, the same as last time if it still is."""
    wanted = int(note.read_text()) if note.is_file() and note.read_text().isdecimal() else 0
    for candidate in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            note.write_text(str(port))
            return port
    raise Unavailable("No port is free for a simulator.")


def _prepare_feed(system: Any, scope: Scope, settings: Settings, admin: int) -> list[dict[str, Any]]:
    """A token for the program that sends the history, unless it was sent already."""
    if (settings.data_dir / "demo-feed.done").exists() or "demo_data" not in system.plugins.host.loaded:
        return []
    now = datetime.now(UTC)
    with system.database.unit(scope) as session:
        _forget_tokens(session, now)
        new = NewToken(TOKEN_TITLE, ["orders.import", "inventory.write"], now + timedelta(days=1))
        _row, text = create_token(session, system.rights, new, user_id=admin, now=now)
    note = settings.data_dir / "demo-feed.token"
    note.touch(mode=0o600)
    note.write_text(text)
    return [{"name": "history", "arguments": ["demo", "feed"]}]


def _forget_tokens(session: Session, now: datetime) -> None:
    for token_id in session.scalars(select(ApiToken.id).where(ApiToken.title == TOKEN_TITLE, ApiToken.revoked_at.is_(None))):
        revoke_token(session, token_id, now=now)


@command.command("feed", short_help="Send the week of history through the public REST intake.")
def feed() -> None:
    """Send a week of real orders, returns and stock corrections, as any seller's own program would; then end."""
    settings = importlib.import_module("core.delivery.cli.installation").read_installation()
    done, token = settings.data_dir / "demo-feed.done", settings.data_dir / "demo-feed.token"
    if done.exists() or not token.exists():
        _rest()
        return
    client = _Client(f"http://127.0.0.1:{settings.port}", token.read_text())
    client.wait()
    counts = _send_week(client)
    done.write_text(json.dumps(counts))
    token.unlink()
    click.echo(f"The history is in: {counts}")
    _rest()


def _rest() -> None:
    """Stay until told to stop: a program that ends would be started again."""
    while True:
        time.sleep(3600)


def _send_week(client: _Client) -> dict[str, int]:
    history = importlib.import_module("plugins.demo_data.history")
    service = importlib.import_module("plugins.demo_data.service")
    found = list(history.invoices(history.read_rows(service.WEEK)))
    latest = max(row.at for invoice in found for row in invoice.rows)
    shift = timedelta(days=(datetime.now(UTC) - latest).days)
    plans = [history.plan(invoice, shift=shift, state=_state_of(invoice, latest)) for invoice in found]
    orders = [made.order for made in plans if made.order]
    refunds = [made.refund for made in plans if made.refund]
    adjustments = [row for made in plans for _row, row in made.adjustments]
    parts = (("orders/bulk", "orders", orders), ("refunds/bulk", "refunds", refunds), ("stock/adjust", "adjustments", adjustments))
    for path, key, rows in parts:
        for start in range(0, len(rows), FEED_BATCH):
            shop = {} if key == "adjustments" else {"shop": "web"}
            client.post(f"/t/{GIFT.slug}/api/v1/{path}", {**shop, key: rows[start : start + FEED_BATCH]})
    return {"orders": len(orders), "refunds": len(refunds), "adjustments": len(adjustments)}


def _state_of(invoice: Any, latest: datetime) -> str:
    """The last day's orders are still to be shipped."""
    return "paid" if latest - invoice.rows[0].at < timedelta(days=1) else "completed"


class _Client:
    """The site's REST interface, as a stranger would use it."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._pool = urllib3.PoolManager(timeout=60.0)

    def wait(self) -> None:
        """Wait until the site answers."""
        for _attempt in range(240):
            try:
                if self._pool.request("GET", f"{self._base}/readyz", retries=False).status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.5)
        raise FeedRefused("The site did not get ready.")

    def post(self, path: str, body: Mapping[str, Any]) -> None:
        """Send one batch. Raises FeedRefused."""
        answer = self._pool.request("POST", self._base + path, body=json.dumps(body), headers=self._headers, retries=False)
        if answer.status >= 300:
            raise FeedRefused(f"{path} answered {answer.status}: {answer.data[:300].decode('utf-8', 'replace')}")
