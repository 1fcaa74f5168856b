"""What people may do with customers."""

from __future__ import annotations

from core.kernel.messages import N_
from core.runtime.security.permission import Permission

_GROUP = N_("Customers")
PERMISSIONS = (
    Permission("customers.read", N_("See customers, masked"), _GROUP),
    Permission("customers.write", N_("Add and change customers"), _GROUP),
    Permission("customers.delete", N_("Delete customers"), _GROUP),
    Permission("customers.reveal", N_("See personal data in clear, with a reason"), _GROUP),
    Permission("customers.export", N_("Export customers, masked"), _GROUP),
)
