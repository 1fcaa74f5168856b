"""What people may do with orders."""

from __future__ import annotations

from core.kernel.messages import N_
from core.runtime.security.permission import Permission

_GROUP = N_("Orders")
PERMISSIONS = (
    Permission("orders.read", N_("See orders"), _GROUP),
    Permission("orders.write", N_("Enter and change orders"), _GROUP),
    Permission("orders.hold", N_("Hold orders"), _GROUP),
    Permission("orders.release", N_("Release holds"), _GROUP),
    Permission("orders.cancel", N_("Cancel orders"), _GROUP),
    Permission("orders.refund", N_("Record refunds and returns"), _GROUP),
    Permission("orders.delete", N_("Delete order tags"), _GROUP),
    Permission("orders.import", N_("Send orders in bulk"), _GROUP),
    Permission("orders.export", N_("Export orders"), _GROUP),
)
