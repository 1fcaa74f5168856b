"""Setting the stock that a JD shop shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.sdk import Invalid, NotFound, OrderloomError, PushResult, StockPush
from plugins.jd.answers import is_true, raise_for_failure
from plugins.jd.calls import Gateway
from plugins.jd.errors import MethodMissing, PayloadInvalid

# Source: JOS, jingdong.ware.stock.sku.set takes up to 30 SKUs; updateSkuStock is its announced-for-retirement predecessor.
_SET = "jingdong.ware.stock.sku.set"
_SET_OLD = "jingdong.stock.write.updateSkuStock"
_BATCH = 30
_FULL = "fullStockIn"
_MAIN_STORE = 0


def _failed(level: StockPush, error: OrderloomError) -> PushResult:
    code = error.facts.get("vendor_code")
    return PushResult(level.external_sku, is_ok=False, code=f"jd.{code}" if code else error.code, message=error.message)


def _results(levels: Sequence[StockPush], answer: Mapping[str, Any]) -> list[PushResult]:
    """One result per level from `returnType.obj.updateStockResult`, which may name the failed SKUs only."""
    result = answer.get("returnType")
    if not isinstance(result, Mapping):
        raise PayloadInvalid("An object is needed here.", field="returnType")
    details = result.get("obj")
    rows = details.get("updateStockResult") if isinstance(details, Mapping) else None
    said = {str(row.get("data")): row for row in rows or () if isinstance(row, Mapping)}
    if not said:
        raise_for_failure(result, "returnType")
    results = []
    for level in levels:
        row = said.get(level.external_sku)
        if row is None or is_true(row.get("success")):
            results.append(PushResult(level.external_sku, is_ok=True))
        else:
            code, message = str(row.get("errorCode") or "refused"), str(row.get("message") or "")
            results.append(PushResult(level.external_sku, is_ok=False, code=f"jd.{code}", message=message[:300]))
    return results


def _set_batch(gateway: Gateway, levels: Sequence[StockPush], reference: str) -> list[PushResult]:
    stocks = [{"skuId": int(level.external_sku), "stockNum": level.level} for level in levels]
    request = {"req": {"updateModel": _FULL, "stockRfId": reference, "skuStocks": stocks}}
    # Setting a level twice is the same as once, so this counts as a read when it comes to repeating.
    return _results(levels, gateway.read(_SET, request))


def _set_one_by_one(gateway: Gateway, levels: Sequence[StockPush]) -> list[PushResult]:
    results = []
    for level in levels:
        business = {"skuId": int(level.external_sku), "stockNum": level.level, "storeId": _MAIN_STORE}
        try:
            raise_for_failure(gateway.read(_SET_OLD, business))
        except (Invalid, NotFound) as error:
            results.append(_failed(level, error))
        else:
            results.append(PushResult(level.external_sku, is_ok=True))
    return results


def _set(gateway: Gateway, levels: Sequence[StockPush], reference: str) -> list[PushResult]:
    try:
        return _set_batch(gateway, levels, reference)
    except MethodMissing:
        # An app that never got the new method still has the old one.
        return _set_one_by_one(gateway, levels)
    except (Invalid, NotFound) as error:
        return [_failed(level, error) for level in levels]


def set_stock(gateway: Gateway, levels: Sequence[StockPush], *, reference: str) -> list[PushResult]:
    """Show `levels` in the shop; one result per level, in the same order. `reference` marks the push on JD's side.

    Raises: as `Gateway.read`, for what concerns more than these SKUs.
    """
    results: list[PushResult] = []
    for start in range(0, len(levels), _BATCH):
        batch = levels[start : start + _BATCH]
        sendable = [level for level in batch if level.external_sku.isdecimal() and level.external_sku.isascii() and level.level >= 0]
        answers = iter(_set(gateway, sendable, f"{reference}-{start}") if sendable else ())
        for level in batch:
            if level in sendable:
                results.append(next(answers))
            else:
                message = "There is no JD SKU number, or the level is negative."
                results.append(PushResult(level.external_sku, is_ok=False, code="jd.sku_invalid", message=message))
    return results
