"""An inbound document shows the channel's own words, only to who says why."""

from __future__ import annotations

import zlib
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.domain.channels.desk import shop_view
from core.domain.channels.inbound import PURPOSE, park, payload_of
from core.domain.channels.marketplace import Document
from core.domain.channels.models import InboundDocument
from core.domain.customers.models import Reveal
from core.kernel.jsontext import decode_json
from core.runtime.security.vault import seal
from tests.factories.orders import NOON, make_shop

pytestmark = pytest.mark.database
HERE = {"page": "/t/tea/account/"}


@pytest.fixture(scope="module")
def document(floor):
    payload = '{"tid":7001,"payment":12.50,"receiver_name":"王小明"}'
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, "tb-doc")
        made = InboundDocument(
            shop_id=shop.id,
            kind="order",
            external_id="7001",
            revision="1",
            state="stored",
            modified_at=NOON,
            received_at=NOON,
            sealed=seal(session, PURPOSE, zlib.compress(payload.encode())),
        )
        session.add(made)
        session.flush()
        return str(made.id)


def test_words_of_the_channel_are_shown_when_a_reason_is_given(floor, document):
    browser = floor.visitor("owner@tea.example")
    page = browser.get(f"/t/tea/inbound-documents/show/{document}").text

    without = browser.post(f"/t/tea/inbound-documents/reveal/{document}", {"reason": " "}, **HERE)
    clear = browser.post(f"/t/tea/inbound-documents/reveal/{document}", {"reason": "a total looks wrong"}, **HERE)

    assert "王小明" not in page
    assert f'hx-post="/t/tea/inbound-documents/reveal/{document}"' in page
    assert (without.status_code, clear.status_code) == (302, 200)
    assert [text in clear.text for text in ("王小明", "&#34;payment&#34;: 12.50", "&#34;tid&#34;: 7001")] == [True] * 3
    with floor.world.database.unit(floor.world.tea) as session:
        assert session.scalars(select(Reveal.reason).where(Reveal.subject_type == "document")).all() == ["a total looks wrong"]


def test_words_of_the_channel_stay_hidden_when_the_right_is_missing(floor, document):
    browser = floor.visitor("reader@tea.example")

    page = browser.get(f"/t/tea/inbound-documents/show/{document}").text
    refused = browser.post(f"/t/tea/inbound-documents/reveal/{document}", {"reason": "just looking"}, **HERE)

    assert "/inbound-documents/reveal/" not in page
    assert refused.status_code == 403


def test_words_of_the_channel_keep_their_numbers_when_they_are_stored(floor):
    payload = decode_json('{"tid":7002,"payment":12.50,"price":"3.00"}', max_bytes=1000)
    with floor.world.database.unit(floor.world.tea) as session:
        shop = make_shop(session, "tb-kept")
        park(session, shop_view(session, shop.id), Document("order", "7002", NOON.isoformat(), NOON, payload), cause="test")
        kept = session.scalars(select(InboundDocument.id).where(InboundDocument.external_id == "7002")).one()

        found = payload_of(session, kept)

    assert repr(found) == repr({"tid": 7002, "payment": Decimal("12.50"), "price": "3.00"})
