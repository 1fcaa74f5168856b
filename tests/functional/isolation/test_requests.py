"""What holds for every route, whoever owns it: reading changes nothing, writing needs the token, and each role opens what it may and no more."""

from __future__ import annotations

import pytest

from core.delivery.web.app_builder import PUBLIC_VIEW
from core.delivery.web.marks import ASSET, STATELESS, marks_of
from core.delivery.web.security_manager import permission_keys_of
from core.runtime.security.audit import AuditEntry
from core.runtime.security.permissions import SEED_ROLES, expand
from core.runtime.security.roles import create_role
from tests.fixtures.floor import HOST
from tests.functional.isolation.addresses import SWITCHES, addresses, view_of
from tests.functional.isolation.conftest import Caller, rules_of

pytestmark = [pytest.mark.database, pytest.mark.timeout(900)]

# The host counts how often a plugin was called; that is a note, like an access log.
COUNTED = frozenset({"plugin_use", "plugin_call"})
# Following a notice of one's own to what it is about makes it read.
READ = frozenset({"plg_notify_inapp_notice"})
EXPORTED = "records.exported"


def _marks(app, rule):
    return marks_of(app.view_functions[rule.endpoint])


@pytest.fixture(scope="module")
def everything(walls):
    """Ids of ours in every table."""
    return walls.fill_ours()


def test_reading_changes_nothing_and_every_page_answers(walls, owner, everything):
    app = walls.floor.app
    owner.ask("GET", "/t/tea/")
    without = COUNTED | READ | {"audit_entry"}
    before = (walls.contents(walls.tea, without=without), walls.contents(walls.gift), walls.platform())
    wrong, asked, exports = {}, 0, 0
    noted = _audited(walls)

    for rule, method in rules_of(app):
        if method != "GET":
            continue
        for path in addresses(app, rule, everything):
            for place in ("/t/tea", ""):
                answer = owner.ask("GET", f"{place}{path}")
                asked += 1
                # Nothing rings the doorbell of the tests' installation, so it is never ready.
                if answer.status_code >= 500 and path != "/readyz":
                    wrong[f"{place}{path}"] = answer.status_code
            exports += path.endswith("/export.csv")

    assert asked >= 400
    assert wrong == {}
    assert (walls.contents(walls.tea, without=without), walls.contents(walls.gift), walls.platform()) == before
    assert _audited(walls)[len(noted) :] == [EXPORTED] * exports


def _audited(walls):
    with walls.floor.world.database.unit(walls.tea) as session:
        return list(session.scalars(AuditEntry.__table__.select().with_only_columns(AuditEntry.action).order_by(AuditEntry.id)))


def test_every_unsafe_route_refuses_a_browser_without_its_token(walls, owner, everything):
    app, wrong, asked = walls.floor.app, {}, 0
    before = walls.contents(walls.tea, without=COUNTED)

    for rule, method in rules_of(app):
        if method == "GET" or STATELESS in _marks(app, rule):
            continue
        said = set()
        for place in ("/t/tea", ""):
            # Without the token no action is looked at, so one address is as good as another.
            path = next(iter(addresses(app, rule, everything)))
            said.add(owner.ask(method, f"{place}{path}", {}, with_token=False).status_code)
            asked += 1
        # Some exist only inside a business, some only outside; where they are not, there is nothing to forge.
        if 400 not in said or said - {400, 404}:
            wrong[f"{method} {rule.rule}"] = said

    assert asked >= 300
    assert wrong == {}
    assert walls.contents(walls.tea, without=COUNTED) == before
    assert owner.is_in()


def test_routes_without_a_token_take_nothing_from_the_cookie(walls, owner):
    app = walls.floor.app
    stateless = [rule for rule, method in rules_of(app) if method != "GET" and STATELESS in _marks(app, rule)]

    answers = {rule.endpoint: owner.browser.client.post(rule.rule, base_url=HOST, json={}).status_code for rule in stateless}

    assert answers == {"SecurityApi.login": 422, "SecurityApi.logout": 401, "SecurityApi.refresh": 401}
    assert owner.is_in()


def _needed(walls, rule):
    """The permission that the view declares for the method behind a route; None where everybody may."""
    view = view_of(walls.floor.app, rule)
    marks = _marks(walls.floor.app, rule)
    if view is None or PUBLIC_VIEW in marks or ASSET in marks:
        return None
    return permission_keys_of(view)[f"can_{view.get_method_permission(rule.endpoint.rpartition('.')[2])}"]


def test_every_route_that_is_not_public_declares_a_known_permission(walls):
    needed = {rule.endpoint: _needed(walls, rule) for rule, _method in rules_of(walls.floor.app)}
    known = {permission.key for permission in walls.floor.system.rights.registry}

    assert {key for key in needed.values() if key is not None and not key.startswith("@")} <= known
    assert {endpoint for endpoint, key in needed.items() if key is None} == {
        "AuthView.forgot", "AuthView.login", "AuthView.logout", "AuthView.reset", "JoinView.join", "LocaleView.index", "OpenApi.document",
        "SecurityApi.login", "SecurityApi.logout", "SecurityApi.refresh", "health.healthz", "health.metrics", "health.readyz",
        "theme_assets.file", "theme_preferences.choose",
    }  # fmt: skip


def _wrong_doors(walls, email, held, routes):
    """Routes that a member who holds `held` is shown although they may not, or refused although they may; and how many were asked."""
    caller, wrong, asked = Caller(walls.floor, email), {}, 0
    for rule, method in routes:
        key = _needed(walls, rule)
        may = key.startswith("@") or key in held
        for path in addresses(walls.floor.app, rule, {}):
            status = caller.ask(method, f"/t/tea{path}", {}).status_code
            asked += 1
            if (status == 403) == may and not (may and _asks_for_more(rule)):
                wrong[f"{method} {path}"] = (key, status)
        if rule.endpoint in SWITCHES:
            walls.switch_all_on()
    return wrong, asked


def _asks_for_more(rule):
    """Actions need a permission of their own besides that of reading; which one, their own tests say."""
    return rule.endpoint.endswith((".act", ".bulk"))


def _guarded(walls):
    """The routes that ask for a permission of their own; not those that would take the caller's own sign-in or own role away.

    What routes of tenants' own kinds ask for depends on the kind: tests/functional/screens/test_own_records.py.
    """
    left_out = {"AccountView.end_all", "RoleView.save"}
    known = [(rule, method) for rule, method in rules_of(walls.floor.app) if "own_entity" not in rule.arguments]
    return [(rule, method) for rule, method in known if _needed(walls, rule) and rule.endpoint not in left_out]


@pytest.mark.parametrize("half", [0, 1])
def test_member_opens_exactly_the_routes_whose_permission_they_hold(walls, half):
    """Two roles that share the permissions among them: whatever a route asks for, one of the two is refused and the other is not."""
    floor, email = walls.floor, f"half{half}@matrix.example"
    with floor.world.database.unit(walls.tea) as session:
        session.connection()
        held = set(sorted(floor.system.rights.usable_keys(session))[half::2])
        create_role(session, floor.system.rights, code=f"half-{half}", title=f"Half {half}", patterns=sorted(held))
    floor.member(walls.tea, email, f"half-{half}")

    wrong, asked = _wrong_doors(walls, email, held, _guarded(walls))

    assert asked >= 400
    assert wrong == {}


@pytest.mark.parametrize("seed", SEED_ROLES, ids=lambda seed: seed.code)
def test_seed_role_opens_what_its_patterns_name(walls, seed):
    floor, email = walls.floor, f"{seed.code}@matrix.example"
    floor.member(walls.tea, email, seed.code)
    with floor.world.database.unit(walls.tea) as session:
        session.connection()
        held = expand(seed.patterns, floor.system.rights.usable_keys(session))
    one_each = {(_needed(walls, rule), method): (rule, method) for rule, method in _guarded(walls)}

    wrong, asked = _wrong_doors(walls, email, held, one_each.values())

    assert asked >= 40
    assert wrong == {}
