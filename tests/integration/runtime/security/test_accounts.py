"""Accounts, sign-ins, reset links and the throttle on the real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from werkzeug.security import generate_password_hash

from core.kernel.clock import FixedClock
from core.runtime.security import accounts, sessions
from core.runtime.security.accounts import AccountTaken, EmailInvalid, LinkGone, PasswordWrong
from core.runtime.security.housekeeping import sweep
from core.runtime.security.models import FabUser, LoginSession, LoginThrottle, SecurityEvent
from core.runtime.security.passwords import PasswordCommon, PasswordPersonal, PasswordShort
from core.runtime.security.sessions import Device, SignIn
from core.runtime.security.throttle import RULES, Throttle, TooManyAttempts, sweep_throttle
from tests.factories.security import NOON, OTHER_PASSWORD, PASSWORD, make_person

pytestmark = pytest.mark.database


@pytest.fixture
def clock():
    return FixedClock(NOON)


def _open(world, person, now=NOON, agent="", address=""):
    with world.database.platform() as session:
        return sessions.open_session(session, accounts.get_person(session, person.user_id), Device(address, agent), now=now)


def _who(world, secret, now=NOON):
    with world.database.platform() as session:
        return sessions.find_signed_in(session, secret, now=now, tenant="tea")


def _forget_counters(world):
    with world.database.platform() as session:
        session.execute(LoginThrottle.__table__.delete())


def test_create_account_refuses_bad_input_and_leaves_nothing(world):
    make_person(world, "Taken@Tea.example")

    for values, error in [
        ({"email": "taken@tea.EXAMPLE"}, AccountTaken),
        ({"email": "no address"}, EmailInvalid),
        ({"email": "a@b c.d"}, EmailInvalid),
        ({"email": "new@tea.example", "password": "short"}, PasswordShort),
        ({"email": "new@tea.example", "password": "passwordpassword"}, PasswordCommon),
        ({"email": "liyuanming@tea.example", "password": "liyuanming-2024!"}, PasswordPersonal),
    ]:
        with pytest.raises(error):
            make_person(world, **values)

    with world.database.platform() as session:
        assert session.scalars(select(FabUser.email)).all() == ["taken@tea.example"]


def test_sign_in_carries_person_and_tenant_until_it_ends(world):
    person = make_person(world, "one@tea.example", name="小明")
    session_id, secret = _open(world, person, agent="Firefox", address="10.0.0.1")

    who = _who(world, secret)
    with world.database.platform() as session:
        no_tenant = sessions.find_signed_in(session, secret, now=NOON, tenant="nosuch")
        stored = session.get(LoginSession, session_id).token_hash
        foreign_end = sessions.end_session(session, session_id, user_id=person.user_id + 1, now=NOON)
    alive = _who(world, secret)
    with world.database.platform() as session:
        ended = sessions.end_session(session, session_id, user_id=person.user_id, now=NOON)

    assert (who.person.name, who.tenant.name, who.session_id) == ("小明", "清风茶铺", session_id)
    assert (no_tenant.person.email, no_tenant.tenant) == ("one@tea.example", None)
    assert secret.encode() not in stored
    assert (foreign_end, alive is not None, ended) == (False, True, True)
    assert _who(world, secret) is None


def test_sign_in_ends_when_idle_or_too_old(world):
    person = make_person(world, "idle@tea.example")
    session_id, secret = _open(world, person)

    assert _who(world, secret, NOON + timedelta(minutes=59)) is not None
    assert _who(world, secret, NOON + timedelta(minutes=61)) is None
    for hour in range(1, 13):
        with world.database.platform() as session:
            sessions.touch_session(session, session_id, now=NOON + timedelta(hours=hour, minutes=-5))
    assert _who(world, secret, NOON + timedelta(hours=11, minutes=59)) is not None
    assert _who(world, secret, NOON + timedelta(hours=12)) is None


def test_other_sign_ins_end_when_the_password_changes(world):
    person = make_person(world, "change@tea.example")
    mine, other = _open(world, person), _open(world, person)

    with world.database.platform() as session:
        with pytest.raises(PasswordWrong):
            accounts.change_password(session, person.user_id, current="wrong-wrong-wrong", new=OTHER_PASSWORD, now=NOON)
        keep = session.get(LoginSession, mine[0])
        accounts.change_password(session, person.user_id, current=PASSWORD, new=OTHER_PASSWORD, now=NOON, keep=keep)

    assert (_who(world, mine[1]) is not None, _who(world, other[1]) is not None) == (True, False)


def test_all_sign_ins_end_when_the_account_is_switched_off(world):
    person = make_person(world, "off@tea.example")
    _, secret = _open(world, person)

    with world.database.platform() as session:
        accounts.switch_account(session, person.user_id, is_active=False)
    off = _who(world, secret)
    with world.database.platform() as session:
        accounts.switch_account(session, person.user_id, is_active=True)

    assert (off, _who(world, secret)) == (None, None)


def test_session_list_shows_devices_that_still_count(world):
    person = make_person(world, "devices@tea.example")
    _open(world, person, NOON - timedelta(hours=2), agent="old")
    _open(world, person, NOON - timedelta(minutes=5), agent="phone")
    _open(world, person, agent="desk")

    with world.database.platform() as session:
        listed = [one.agent for one in sessions.sessions_of(session, person.user_id, now=NOON)]
        accounts.end_all_sign_ins(session, person.user_id)
        left = sessions.sessions_of(session, person.user_id, now=NOON)

    assert (listed, left) == (["desk", "phone"], [])


def test_reset_link_works_once_and_ends_sign_ins(world, clock):
    person = make_person(world, "reset@tea.example")
    _, secret = _open(world, person)
    with world.database.platform() as session:
        older = accounts.make_reset_link(session, person.user_id, now=NOON)
        link = accounts.make_reset_link(session, person.user_id, now=NOON)

    with world.database.platform() as session:
        assert accounts.reset_is_open(session, link, now=NOON)
        assert not accounts.reset_is_open(session, older, now=NOON)
        with pytest.raises(LinkGone):
            accounts.use_reset_link(session, older, password=OTHER_PASSWORD, now=NOON)
        with pytest.raises(LinkGone):
            accounts.use_reset_link(session, link, password=OTHER_PASSWORD, now=NOON + timedelta(minutes=30))
    with pytest.raises(PasswordShort), world.database.platform() as session:
        accounts.use_reset_link(session, link, password="short", now=NOON)
    with world.database.platform() as session:
        used_by = accounts.use_reset_link(session, link, password=OTHER_PASSWORD, now=NOON)
        with pytest.raises(LinkGone):
            accounts.use_reset_link(session, link, password=PASSWORD, now=NOON)

    gate = SignIn(world.database, clock)
    assert used_by == person.user_id
    assert _who(world, secret) is None
    assert gate.check("reset@tea.example", PASSWORD, address="10.1.0.1") is None
    assert gate.check("RESET@tea.example ", OTHER_PASSWORD, address="10.1.0.1").user_id == person.user_id


def test_sign_in_check_says_the_same_for_unknown_wrong_and_switched_off(world, clock):
    person = make_person(world, "known@tea.example")
    dark = make_person(world, "dark@tea.example")
    with world.database.platform() as session:
        accounts.switch_account(session, dark.user_id, is_active=False)
    gate = SignIn(world.database, clock)

    answers = [
        gate.check(login, PASSWORD if login.startswith("dark") else "wrong-wrong-wrong", address=f"10.2.0.{number}")
        for number, login in enumerate(["known@tea.example", "dark@tea.example", "nobody@tea.example", ""])
    ]

    with world.database.platform() as session:
        noted = session.execute(
            select(SecurityEvent.user_id, func.count()).where(SecurityEvent.kind == "sign_in_refused").group_by(SecurityEvent.user_id)
        ).all()
    assert answers == [None] * 4
    assert {row[0]: row[1] for row in noted if row[0] in (person.user_id, dark.user_id)} == {person.user_id: 1, dark.user_id: 1}


def test_old_hash_is_renewed_when_its_owner_signs_in(world, clock):
    person = make_person(world, "rehash@tea.example")
    weak = generate_password_hash(PASSWORD, method="scrypt:256:8:1")
    with world.database.platform() as session:
        session.execute(update(FabUser).where(FabUser.id == person.user_id).values(password=weak))

    first = SignIn(world.database, clock).check("rehash@tea.example", PASSWORD, address="10.3.0.1")

    with world.database.platform() as session:
        stored = accounts.stored_hash(session, person.user_id)
    assert first.user_id == person.user_id
    assert stored.startswith("scrypt:1024:1:1$")


def test_throttle_makes_guessing_slow_and_lets_the_owner_in_with_a_known_device(world, clock):
    _forget_counters(world)
    person = make_person(world, "target@tea.example")
    gate = SignIn(world.database, clock)
    for number in range(5):
        assert gate.check("target@tea.example", f"guess-{number}", address=f"10.4.0.{number}") is None

    with pytest.raises(TooManyAttempts) as refused:
        gate.check("target@tea.example", PASSWORD, address="10.4.0.99")
    owner = gate.check("target@tea.example", PASSWORD, address="10.4.0.99", device="known-device")
    clock.advance(timedelta(seconds=12))
    later = gate.check("target@tea.example", PASSWORD, address="10.4.0.99")

    assert (refused.value.status, refused.value.retry_after_s) == (429, 12.0)
    assert (owner.user_id, later.user_id) == (person.user_id, person.user_id)


def test_throttle_wait_doubles_and_stops_at_the_limit(world, clock):
    _forget_counters(world)
    throttle = Throttle(world.database, clock)
    waits = []
    for _ in range(12):
        throttle.take([("k", RULES.per_account)])
        try:
            throttle.take([("k", RULES.per_account)])
            waits.append(0.0)
            throttle.forgive(cleared=[], eased=["k"])
        except TooManyAttempts as refused:
            waits.append(refused.retry_after_s)
            clock.advance(timedelta(seconds=refused.retry_after_s))

    assert waits == [0.0, 0.0, 0.0, 0.0, 12.0, 24.0, 48.0, 60.0, 60.0, 60.0, 60.0, 60.0]


def test_throttle_counts_every_attempt_when_they_come_at_once(world, clock):
    _forget_counters(world)
    barrier = threading.Barrier(16)
    allowed = []

    def attempt():
        barrier.wait()
        try:
            Throttle(world.database, clock).take([("address:10.5.0.1", RULES.per_address)])
            allowed.append(1)
        except TooManyAttempts:
            pass

    threads = [threading.Thread(target=attempt) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(allowed) == 5


def test_throttle_forgets_after_a_quiet_quarter_of_an_hour(world, clock):
    _forget_counters(world)
    throttle = Throttle(world.database, clock)
    for _ in range(5):
        throttle.take([("k", RULES.per_address)])
    clock.advance(timedelta(minutes=16))

    throttle.take([("k", RULES.per_address)])
    throttle.take([("k", RULES.per_address)])
    with world.database.platform() as session:
        early = sweep_throttle(session, now=clock.now())
        late = sweep_throttle(session, now=clock.now() + timedelta(minutes=16))

    assert (early, late) == (0, 1)


def test_sweep_deletes_what_is_old_and_keeps_the_rest(world, clock):
    person = make_person(world, "swept@tea.example")
    _open(world, person, NOON - timedelta(days=40))
    kept_id, _ = _open(world, person, NOON - timedelta(days=20))
    with world.database.platform() as session:
        accounts.make_reset_link(session, person.user_id, now=NOON - timedelta(days=40))
        accounts.make_reset_link(session, person.user_id, now=NOON)

    with world.database.platform() as session:
        first, second = sweep(session, now=NOON), sweep(session, now=NOON)
    with world.database.platform() as session:
        left = session.scalars(select(LoginSession.id).where(LoginSession.user_id == person.user_id)).all()

    assert (first["login_session"], first["password_reset"]) == (1, 1)
    assert second == {"login_throttle": 0, "login_session": 0, "password_reset": 0}
    assert left == [kept_id]
