"""Wants a table under a name that is not its own."""

from sqlalchemy.orm import Mapped

from core.sdk.models import Base, TenantOwned

PLUGIN = {"id": "toy_wrong_table", "version": "1.0.0", "tables": ["plg_toy_wrong_table_row"]}


class Order(TenantOwned, Base):
    """Looks like the core's."""

    __tablename__ = "orders_copy"

    text: Mapped[str]
