"""A customer's page shows masked data, and more only to who says why."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.domain.customers.models import Reveal
from core.domain.customers.service import create_customer

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def customer(floor):
    with floor.world.database.unit(floor.world.tea) as session:
        return str(create_customer(session, {"name": "王小明", "phone": "13977770000", "email": "wang@shop.example"}).id)


def test_personal_data_is_shown_when_a_reason_is_given(floor, customer):
    browser = floor.visitor("owner@tea.example")
    page = browser.get(f"/t/tea/customers/show/{customer}").text

    without = browser.post(f"/t/tea/customers/reveal/{customer}", {"reason": " "}, **HERE)
    clear = browser.post(f"/t/tea/customers/reveal/{customer}", {"reason": "buyer called back"}, **HERE)

    assert "13977770000" not in page
    assert f'hx-post="/t/tea/customers/reveal/{customer}"' in page
    assert (without.status_code, clear.status_code) == (302, 200)
    assert [text in clear.text for text in ("王小明", "13977770000", "wang@shop.example")] == [True, True, True]
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Reveal.reason).where(Reveal.subject_type == "customer")).all() == ["buyer called back"]


def test_personal_data_stays_masked_when_the_right_is_missing(floor, customer):
    browser = floor.visitor("reader@tea.example")

    page = browser.get(f"/t/tea/customers/show/{customer}").text
    refused = browser.post(f"/t/tea/customers/reveal/{customer}", {"reason": "just looking"}, **HERE)

    assert "/customers/reveal/" not in page
    assert refused.status_code == 403
