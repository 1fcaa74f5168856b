"""Refunds out of JD's documents."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.sdk import NormalisedRefund, RefundState
from plugins.jd.errors import PayloadInvalid, SessionExpired, StateUnknown
from plugins.jd.mapping import refunds_from
from tests.plugins.jd.conftest import PAYLOADS, load

APPLICATIONS = load("refundapply_queryPageList.json")
SERVICES = load("asc_serviceAndRefund_view.json")


def application(**changes: Any) -> dict[str, Any]:
    (entry,) = APPLICATIONS["jingdong_pop_afs_soa_refundapply_queryPageList_responce"]["queryResult"]["result"]
    return {**entry, **changes}


def service(**changes: Any) -> dict[str, Any]:
    (entry,) = SERVICES["jingdong_asc_serviceAndRefund_view_responce"]["pageResult"]["data"]
    entry = copy.deepcopy(entry)
    entry["sameOrderServiceBill"].update(changes.pop("bill", {}))
    return {**entry, **changes}


def test_refundapply_query_page_list_maps_the_application_when_it_is_the_sample():
    expected = NormalisedRefund(
        external_id="500000001",
        order_external_id="300000000002",
        state=RefundState.REQUESTED,
        amount=Decimal("170.86"),
        currency="CNY",
        modified_at=datetime(2026, 11, 10, 12, 19, 58, tzinfo=UTC),
        reason="不想要了",
        channel_state="0",
    )

    assert refunds_from(APPLICATIONS) == [expected]
    assert refunds_from((PAYLOADS / "refundapply_queryPageList.json").read_bytes()) == [expected]
    assert refunds_from([application()]) == [expected]


def test_asc_service_and_refund_view_maps_the_service_when_it_is_the_sample():
    assert refunds_from(SERVICES) == [
        NormalisedRefund(
            external_id="afs-1200000001",
            order_external_id="300000000004",
            state=RefundState.REQUESTED,
            amount=Decimal(0),
            currency="CNY",
            modified_at=datetime(2026, 11, 12, 2, tzinfo=UTC),
            kind="return",
            channel_state="10005/0",
        )
    ]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, RefundState.REQUESTED),
        ("1", RefundState.REQUESTED),
        (2, RefundState.REFUSED),
        (3, RefundState.DONE),
        (4, RefundState.REFUSED),
        (9, RefundState.DONE),
        (11, RefundState.CLOSED),
    ],
)
def test_an_application_has_the_state_of_its_status_when_jd_knows_it(status, state):
    (refund,) = refunds_from(application(status=status))

    assert refund.state == state


@pytest.mark.parametrize(
    ("step", "state"), [(10001, "requested"), (10004, "refused"), ("10009", "requested"), (10010, "done"), (10011, "closed")]
)
def test_a_service_has_the_state_of_its_step_when_no_money_has_moved(step, state):
    (refund,) = refunds_from(service(bill={"serviceStatus": step}))

    assert refund.state == RefundState(state)


def test_a_service_is_done_when_the_money_was_paid_back():
    (refund,) = refunds_from(service(status=13, refoundAmount="12.30", completeTime="2026-11-13 10:00:00", bill={"skuId": 7}))

    assert (refund.state, refund.amount, refund.line_external_ids) == (RefundState.DONE, Decimal("12.30"), ("7",))
    assert refund.modified_at == datetime(2026, 11, 13, 2, tzinfo=UTC)


@pytest.mark.parametrize(("expects", "kind"), [(10, "return"), (20, "exchange"), (30, "exchange"), (None, "return")])
def test_a_service_has_the_kind_that_the_customer_expects_when_it_says_so(expects, kind):
    (refund,) = refunds_from(service(bill={"customerExpect": expects}))

    assert refund.kind == kind


@pytest.mark.parametrize(
    ("figure", "amount"), [(17086, "170.86"), ("17086", "170.86"), (170.86, "170.86"), ("170.00", "170.00"), (170.0, "170.0"), (0, "0")]
)
def test_an_application_is_in_fen_when_its_figure_has_no_decimal_point(figure, amount):
    (refund,) = refunds_from(application(applyRefundSum=figure))

    assert refund.amount == Decimal(amount)


def test_an_application_counts_from_its_decision_when_there_is_one():
    (refund,) = refunds_from(application(checkTime="2026-11-10 21:00:00"))

    assert refund.modified_at == datetime(2026, 11, 10, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (application(id=None), "id"),
        (application(orderId=None), "orderId"),
        (application(applyRefundSum="much"), "applyRefundSum"),
        (application(applyRefundSum=float("inf")), "applyRefundSum"),
        (application(applyTime="", checkTime=""), "applyTime"),
        (service(bill={"serviceId": None}), "sameOrderServiceBill.serviceId"),
        ({"sameOrderServiceBill": 7}, "sameOrderServiceBill"),
        ("nothing", "$"),
        ({}, "$"),
    ],
)
def test_refunds_from_names_the_field_when_a_payload_is_hostile(payload, field):
    with pytest.raises(PayloadInvalid) as caught:
        refunds_from(payload)

    assert caught.value.field == field


def test_refunds_from_raises_when_the_state_is_new():
    with pytest.raises(StateUnknown) as caught:
        refunds_from(application(status=99))

    assert caught.value.facts == {"value": "99"}


def test_refunds_from_raises_when_the_session_is_over():
    with pytest.raises(SessionExpired):
        refunds_from(load("errors.json")[0])
