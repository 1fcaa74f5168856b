"""Errors of fulfilment.

Invalid
└── ShipmentRefused     the shipment is wrong in itself; `field` names the place
Conflict
├── NotShippable        the order's state, a hold or missing stock forbids shipping
└── ShipmentEnded       the shipment was cancelled
"""

from __future__ import annotations

from core.kernel.errors import Conflict, Invalid


class ShipmentRefused(Invalid):
    """This shipment is not possible."""

    code = "fulfilment.shipment_refused"


class NotShippable(Conflict):
    """The order cannot ship now."""

    code = "fulfilment.not_shippable"


class ShipmentEnded(Conflict):
    """The shipment was cancelled."""

    code = "fulfilment.shipment_ended"
