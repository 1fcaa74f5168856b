"""`Idempotency-Key`: one effect for one key, however often and from however many sides it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from core.delivery.api import idempotency
from core.delivery.api.idempotency import IdempotencyKey
from core.domain.catalog.models import Sku
from core.domain.orders.models import Order
from core.kernel.ids import new_id
from core.runtime.db.bulk import insert_rows
from tests.fixtures.programs import count_rows, signed_in_program, token_program

pytestmark = pytest.mark.database

ENTRY = {"shop": "tb", "lines": [{"code": "TEA-100", "quantity": "2", "unit_price": "3.50"}]}


def keyed(key):
    return {"Idempotency-Key": key}


def test_same_request_gets_the_stored_answer_and_has_no_second_effect(floor, owner):
    before = count_rows(floor, floor.world.tea, Order)

    first = owner.post("/orders/enter", ENTRY, headers=keyed("k-1"))
    again = owner.post("/orders/enter", ENTRY, headers=keyed("k-1"))
    other = owner.post("/orders/enter", ENTRY, headers=keyed("k-2"))

    assert [one.status_code for one in (first, again, other)] == [201, 201, 201]
    assert (again.data, again.headers["Location"], again.mimetype) == (first.data, first.headers["Location"], first.mimetype)
    assert [one.headers.get("Idempotent-Replayed") for one in (first, again, other)] == [None, "true", None]
    assert count_rows(floor, floor.world.tea, Order) == before + 2


@pytest.mark.parametrize(
    ("path", "body"),
    [("/orders/enter", {**ENTRY, "buyer_note": "x"}), ("/products/", ENTRY), ("/orders/enter?x=1", ENTRY)],
)
def test_key_is_refused_when_it_was_used_for_another_request(floor, owner, path, body):
    owner.post("/orders/enter", ENTRY, headers=keyed("k-3"))
    before = count_rows(floor, floor.world.tea, Order)

    answer = owner.post(path, body, headers=keyed("k-3"))

    assert answer.status_code == 422
    assert answer.json["field"] == ("x" if "?" in path else "Idempotency-Key")
    assert count_rows(floor, floor.world.tea, Order) == before


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x7fb", "a\tb"])
def test_key_is_refused_when_it_is_no_key(owner, key):
    answer = owner.post("/products/", {"code": "K", "title": "K"}, headers=keyed(key))

    assert (answer.status_code, answer.json["field"]) == (422, "Idempotency-Key")


def test_failed_request_leaves_no_trace_so_that_it_can_be_sent_again(owner):
    failed = owner.post("/orders/enter", {**ENTRY, "shop": "nosuch"}, headers=keyed("k-4"))
    mended = owner.post("/orders/enter", ENTRY, headers=keyed("k-4"))

    assert (failed.status_code, mended.status_code) == (422, 201)


def test_keys_of_different_senders_do_not_meet(floor, goods, owner):
    colleague = signed_in_program(floor, "staff@tea.example")
    neighbour = token_program(floor, floor.world.gift, "owner@gift.example")
    product = {"code": "K-5", "title": "K"}

    mine = owner.post("/products/", product, headers=keyed("k-5"))
    theirs = neighbour.post("/products/", product, headers=keyed("k-5"))
    other = colleague.post("/orders/enter", ENTRY, headers=keyed("k-5"))

    assert [one.status_code for one in (mine, theirs, other)] == [201, 201, 201]
    assert [one.headers.get("Idempotent-Replayed") for one in (theirs, other)] == [None, None]


def test_permission_is_asked_before_a_stored_answer_is_given(floor, goods):
    program = token_program(floor, floor.world.tea, "owner@tea.example", "catalog.write", "catalog.read")
    made = program.post("/products/", {"code": "K-6", "title": "K"}, headers=keyed("k-6"))
    with floor.world.database.unit(floor.world.tea) as session:
        session.execute(text("UPDATE api_token SET scopes = '{catalog.read}' WHERE title LIKE '%% 2'"))

    again = program.post("/products/", {"code": "K-6", "title": "K"}, headers=keyed("k-6"))

    assert (made.status_code, again.status_code) == (201, 403)


def test_requests_at_the_same_time_have_one_effect_and_one_answer(floor, owner):
    before = count_rows(floor, floor.world.tea, Order)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _one: owner.post("/orders/enter", ENTRY, headers=keyed("k-7")), range(6)))

    assert {one.status_code for one in answers} == {201}
    assert len({one.data for one in answers}) == 1
    assert sorted(one.headers.get("Idempotent-Replayed", "first") for one in answers) == ["first"] + ["true"] * 5
    assert count_rows(floor, floor.world.tea, Order) == before + 1


def test_key_is_busy_when_the_first_request_takes_longer_than_the_lock_limit(floor, owner):
    actor = owner_of(floor)
    row = {"id": new_id(), "actor": actor, "key": "k-8", "fingerprint": "x"}
    with floor.world.database.unit(floor.world.tea) as session:
        insert_rows(session, IdempotencyKey, [row])  # as a first request does that has not ended

        answer = owner.post("/products/", {"code": "K-8", "title": "K"}, headers=keyed("k-8"))

    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (409, "api.idempotency_key_busy", "1")
    assert owner.get("/products/?q=K-8").json["result"] == []


def owner_of(floor):
    """The sender as keys name it: the token that the owner's program uses."""
    with floor.world.database.unit(floor.world.tea) as session:
        return session.scalar(select(IdempotencyKey.actor).where(IdempotencyKey.key == "k-1"))


def test_bulk_intake_is_safe_to_repeat_with_and_without_a_key(floor, owner):
    row = {
        "external_id": "I-1", "state": "paid", "paid_total": "7.00", "currency": "CNY", "modified_at": "2026-11-20T08:00:00+08:00",
        "lines": [{"external_id": "1", "seller_code": "TEA-100", "quantity": "1", "paid_amount": "7.00"}],
    }  # fmt: skip
    body = {"shop": "tb", "orders": [row]}
    before = count_rows(floor, floor.world.tea, Order)

    answers = [owner.post("/orders/bulk", body, headers=headers) for headers in (keyed("k-9"), keyed("k-9"), {}, {})]

    assert [one.json["result"][0]["result"] for one in answers] == ["created", "created", "unchanged", "unchanged"]
    assert len({one.json["result"][0]["id"] for one in answers}) == 1
    assert count_rows(floor, floor.world.tea, Order) == before + 1


def test_clear_values_are_never_kept_with_a_key(floor, owner):
    entry = {**ENTRY, "receiver": {"name": "Wang Xiaoming", "phone": "13800138000"}}
    made = owner.post("/orders/enter", entry, headers=keyed("k-10"))

    clear = owner.post(f"/orders/{made.json['id']}/reveal", {"reason": "courier calls"}, headers=keyed("k-11"))

    assert clear.json["result"]["phone"] == "13800138000"
    with floor.world.database.unit(floor.world.tea) as session:
        kept = " ".join(session.scalars(select(IdempotencyKey.body)))
    assert "13800138000" not in kept


def test_keys_are_forgotten_after_a_week(floor, owner):
    owner.post("/products/", {"code": "K-12", "title": "K"}, headers=keyed("k-12"))
    now = datetime.now(UTC)

    with floor.world.database.unit(floor.world.tea) as session:
        early = idempotency.forget_old(session, now=now + timedelta(days=6, hours=23))
        late = idempotency.forget_old(session, now=now + timedelta(days=7, hours=1))
        left = len(session.scalars(select(IdempotencyKey.id)).all())

    assert early == 0
    assert (late >= 1, left) == (True, 0)
    assert count_rows(floor, floor.world.tea, Sku) == 1
