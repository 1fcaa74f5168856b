"""Errors of channels.

NotFound
└── ShopUnknown
Conflict
├── ShopSilent          the shop has no marketplace to talk to, or is switched off
├── PaymentElsewhere    the channel itself reports this order's payment
├── PlatformDecides     the channel itself says what becomes of its orders
└── NothingPaid         nothing of the order is paid that could go back
Invalid
└── CarrierUnmapped     the channel's name of a carrier is not known; mapping it once releases all that waits
"""

from __future__ import annotations

from core.kernel.errors import Conflict, Invalid, NotFound


class ShopUnknown(NotFound):
    """There is no such shop."""

    code = "channels.shop_unknown"


class ShopSilent(Conflict):
    """This shop is not connected to a marketplace."""

    code = "channels.shop_silent"


class PaymentElsewhere(Conflict):
    """The channel reports the payments of its orders itself."""

    code = "channels.payment_elsewhere"


class PlatformDecides(Conflict):
    """The platform decides this for its own orders; it is done there and arrives here by itself."""

    code = "channels.platform_decides"


class NothingPaid(Conflict):
    """Nothing of this order is paid that could go back."""

    code = "channels.nothing_paid"


class CarrierUnmapped(Invalid):
    """The channel's code of this carrier is not known."""

    code = "channels.carrier_unmapped"
