"""What the demo data contributes: goods, a warehouse, carriers and a shop, once per tenant."""

from __future__ import annotations

from core.sdk import Seed, hookimpl
from plugins.demo_data.service import fill


@hookimpl
def register_seeds() -> list[Seed]:
    """The goods."""
    return [Seed(key="demo_data.goods", apply=fill)]
