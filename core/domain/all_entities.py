"""All entity types of the domain in one registry; the composition root adds those of plugins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.domain.catalog import entities as catalog
from core.domain.channels import entities as channels
from core.domain.channels.own_orders import OWN_ACTIONS, platform_orders
from core.domain.channels.payments import RECORD_PAYMENT
from core.domain.customers import entities as customers
from core.domain.fulfilment import entities as fulfilment
from core.domain.fulfilment.delivering import deliver_action
from core.domain.inventory import entities as inventory
from core.domain.orders import entities as orders
from core.domain.orders.buyers import found_customers
from core.engines.metadata import EntityRegistry

#: The catalogues of the domain's texts.
TRANSLATIONS = Path(__file__).parent / "translations"


def core_entities() -> EntityRegistry:
    """A new registry with every entity type of the domain.

    Orders also bear the actions that ship them, record payments and close them, shipments the one that notes their arrival; customers are
    found by orders, too.
    """
    registry = EntityRegistry()
    shippable = replace(orders.ORDER, actions=(fulfilment.SHIP, *orders.ORDER.actions, RECORD_PAYMENT, *OWN_ACTIONS))
    arriving = replace(fulfilment.SHIPMENT, actions=(deliver_action(platform_orders),))
    moved = [arriving if entity is fulfilment.SHIPMENT else entity for entity in fulfilment.ENTITIES]
    own = [shippable if entity is orders.ORDER else entity for entity in orders.ENTITIES]
    people = [replace(entity, search=found_customers) if entity is customers.CUSTOMER else entity for entity in customers.ENTITIES]
    for entities in (own, catalog.ENTITIES, people, inventory.ENTITIES, channels.ENTITIES, moved):
        for entity in entities:
            registry.add(entity)
    return registry
