"""Public client libraries against the simulator; they read the machine's clock, so the simulator does too."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from core.sdk import SystemClock
from plugins.taobao.gateway import china_text
from plugins.taobao.mapping import orders_from, refunds_from
from plugins.taobao.simulator import Simulator
from tests.plugins.taobao.conftest import CREDENTIALS

top = pytest.importorskip("top", reason="taobao-openapi is a development dependency")
top_api = pytest.importorskip("top.api", reason="taobao-openapi is a development dependency")
taobao_open = pytest.importorskip("taobao_open", reason="py-taobao-open is a development dependency")
taobao_open_base = pytest.importorskip("taobao_open.api.base", reason="py-taobao-open is a development dependency")

NODE_SCRIPT = Path(__file__).parent / "payloads" / "node_client.js"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(CREDENTIALS, orders=130, seed=7) as running:
        yield running


def last_day() -> dict[str, str]:
    now = SystemClock().now()
    return {"start_modified": china_text(now - timedelta(hours=23, minutes=59)), "end_modified": china_text(now)}


def ask_top(simulator: Simulator, name: str, session: str | None = CREDENTIALS.session, **params: Any) -> dict[str, Any]:
    """One call with taobao-openapi."""
    address = urlsplit(simulator.url)
    request = getattr(top_api, name)(address.hostname, address.port)
    request.set_app_info(top.appinfo(CREDENTIALS.app_key, CREDENTIALS.secret))
    for key, value in params.items():
        setattr(request, key, value)
    return request.getResponse(session)


def ask_taobao_open(simulator: Simulator, method: str, session: str | None = CREDENTIALS.session, **params: Any) -> dict[str, Any]:
    """One call with py-taobao-open, which knows few methods by itself."""

    class Request(taobao_open_base.RestApi):
        def getapiname(self) -> str:
            return method

    address = urlsplit(simulator.url)
    request = Request(address.hostname, address.port)
    request.set_app_info(taobao_open.appinfo(CREDENTIALS.app_key, CREDENTIALS.secret))
    for key, value in params.items():
        setattr(request, key, value)
    return request.getResponse(session)


def test_taobao_openapi_reads_all_orders_page_by_page(simulator):
    found: list[str] = []

    for page_no in (3, 2, 1):
        answer = ask_top(
            simulator,
            "TradesSoldIncrementGetRequest",
            fields="tid,status,payment,post_fee,modified,orders",
            page_no=page_no,
            page_size=50,
            use_has_next=True,
            **last_day(),
        )
        found += [order.external_id for order in orders_from(answer)]

    assert sorted(found) == sorted(str(tid) for tid in simulator.shop.trades)


def test_taobao_openapi_reads_details_refunds_and_items(simulator):
    tid = next(iter(simulator.shop.trades))

    trade = ask_top(simulator, "TradeFullinfoGetRequest", fields="tid,status,payment,post_fee,modified,orders", tid=tid)
    refunds = ask_top(simulator, "RefundsReceiveGetRequest", fields="refund_id,tid,oid,status,refund_fee,modified", page_size=100)
    items = ask_top(simulator, "ItemsOnsaleGetRequest", fields="num_iid,title,num")
    clock = ask_top(simulator, "TimeGetRequest", session=None)

    assert orders_from(trade)[0].external_id == str(tid)
    assert len(refunds_from(refunds)) == len(simulator.shop.refunds)
    assert items["items_onsale_get_response"]["total_results"] == 14
    assert len(clock["time_get_response"]["time"]) == 19


def test_taobao_openapi_raises_the_platforms_errors(simulator):
    with pytest.raises(Exception, match="errorcode=27") as expired:
        ask_top(simulator, "TradeFullinfoGetRequest", session="old", fields="tid", tid=1)
    with pytest.raises(Exception, match=r"isv\.trade-not-exist"):
        ask_top(simulator, "TradeFullinfoGetRequest", fields="tid", tid=1)

    assert type(expired.value).__name__ == "TopException"


def test_py_taobao_open_ships_and_writes_memos(simulator):
    tid = simulator.shop.place({"TEA-LJ-50": 1, "TEA-JM-100": 1})
    simulator.shop.pay(tid)

    memo = ask_taobao_open(simulator, "taobao.trade.memo.update", tid=tid, memo="加急🚚 & ok", flag=3)
    sent = ask_taobao_open(
        simulator, "taobao.logistics.offline.send", tid=tid, company_code="SF", out_sid="SF0000000000001", sub_tid=f"{tid + 1}", is_split=1
    )
    stock = ask_taobao_open(simulator, "taobao.skus.quantity.update", num_iid=689000000001, skuid_quantities="5210000000001:7", type=1)

    assert memo["trade_memo_update_response"]["trade"]["tid"] == tid
    assert sent["logistics_offline_send_response"]["shipping"]["is_success"] is True
    assert stock["skus_quantity_update_response"]["item"]["skus"]["sku"][0]["quantity"] == 7
    trade = simulator.shop.trades[tid]
    assert (trade["status"], trade["seller_memo"]) == ("SELLER_CONSIGNED_PART", "加急🚚 & ok")


def node_modules() -> bool:
    """Whether node and its client library are on this machine."""
    node = shutil.which("node")
    probe = [node or "", "-e", "require('node-taobao-topclient')"]
    return bool(node) and subprocess.run(probe, capture_output=True, timeout=20, check=False).returncode == 0


@pytest.mark.parametrize("verb", ["POST", "GET"])
def test_node_taobao_topclient_reads_and_ships(simulator, verb):
    if not node_modules():
        pytest.skip("node with the package node-taobao-topclient (npm) is not on this machine; set NODE_PATH to use it")
    tid = simulator.shop.place({"TEA-LJ-50": 1})
    simulator.shop.pay(tid)
    facts = {
        "url": simulator.url,
        "key": CREDENTIALS.app_key,
        "secret": CREDENTIALS.secret,
        "session": CREDENTIALS.session,
        "tid": str(tid),
    }

    run = subprocess.run(
        ["node", str(NODE_SCRIPT), json.dumps({**facts, "verb": verb})],
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, "TZ": "Asia/Shanghai"},
    )
    answers = json.loads(run.stdout)

    assert answers["listed"] == len(simulator.shop.trades)
    assert answers["shipped"] == {"is_success": True}
    assert answers["refused"] == "isv.logistics-offline-service-error:B04"
    assert simulator.shop.trades[tid]["status"] == "WAIT_BUYER_CONFIRM_GOODS"
