"""Errors of orders.

Invalid
└── OrderRefused        an incoming order breaks a rule of intake; `field` names the place
NotFound
└── OrderUnknown
Conflict
├── OrderMoved          the order's state does not allow the step
├── OrderHeld           an open hold forbids the step
├── OrderUnpaid         the order is not paid
└── HoldStays           nobody can release this hold by hand
"""

from __future__ import annotations

from core.kernel.errors import Conflict, Invalid, NotFound


class OrderRefused(Invalid):
    """The order cannot be taken in as it is."""

    code = "orders.refused"


class OrderUnknown(NotFound):
    """There is no such order."""

    code = "orders.unknown"


class OrderMoved(Conflict):
    """The order's state does not allow this step."""

    code = "orders.moved"


class OrderHeld(Conflict):
    """The order is on hold."""

    code = "orders.held"


class OrderUnpaid(Conflict):
    """The order is not paid yet; record its payment first."""

    code = "orders.unpaid"


class HoldStays(Conflict):
    """This hold ends by itself as soon as its cause is gone."""

    code = "orders.hold_stays"
