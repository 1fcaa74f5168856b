"""What a request costs before its view runs, and that lists cost the same with one row and with three."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from sqlalchemy import event

from core.runtime.security import invitations, roles, tokens
from core.runtime.security.audit import record
from core.runtime.security.tokens import NewToken
from tests.factories.security import NOON

pytestmark = pytest.mark.database


@contextmanager
def _statements(site):
    asked: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        asked.append(statement)

    event.listen(site.world.database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(site.world.database.engine, "before_cursor_execute", note)


@pytest.fixture(scope="module")
def owner(site):
    person, _ = site.member("cost@tea.example", ["owner"])
    site.forget_attempts()
    return person, site.browser("cost@tea.example")


def test_request_asks_the_database_twice_before_its_view_when_rights_are_known(site, owner):
    _, browser = owner
    browser.get("/t/tea/probe/read")

    with _statements(site) as asked:
        browser.get("/t/tea/probe/read")

    assert [sql[:24] for sql in asked] == ["SELECT login_session.id ", "SELECT set_config('app.t", "select current_setting(%"]


def _add_rows(site, person, start, count):
    with site.world.database.unit(site.world.tea) as session:
        for number in range(start, start + count):
            roles.create_role(session, site.rights, code=f"cost-{number}", title=f"Cost {number}", patterns=["orders.read"])
            invitations.invite(session, site.rights, email=f"cost{number}@x.example", role_codes=["staff", "finance"], now=NOON)
            tokens.create_token(session, site.rights, NewToken(f"t{number}", ["orders.read"]), user_id=person.user_id, now=NOON)
            record(session, "costed", "thing", number)
    for number in range(start, start + count):
        site.member(f"cost-member-{number}@tea.example", ["staff", "warehouse"])


@pytest.mark.parametrize("page", ["/members/", "/roles/", "/tokens/", "/audit/?action=costed"])
def test_list_asks_as_often_with_three_rows_as_with_one(site, owner, page):
    person, browser = owner
    start = {"/members/": 0, "/roles/": 10, "/tokens/": 20}.get(page, 30)

    _add_rows(site, person, start, 1)
    browser.get(f"/t/tea{page}")
    with _statements(site) as one_row:
        browser.get(f"/t/tea{page}")
    _add_rows(site, person, start + 1, 2)
    browser.get(f"/t/tea{page}")
    with _statements(site) as three_rows:
        browser.get(f"/t/tea{page}")

    assert len(three_rows) == len(one_row)
