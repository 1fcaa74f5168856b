"""What people may do with channels."""

from __future__ import annotations

from core.kernel.messages import N_
from core.runtime.security.permission import Permission

_GROUP = N_("Channels")
PERMISSIONS = (
    Permission("channels.read", N_("See shops and their log"), _GROUP),
    Permission("channels.write", N_("Change shops and map values"), _GROUP),
    Permission("channels.sync", N_("Fetch orders now"), _GROUP),
    Permission("channels.delete", N_("Delete shops"), _GROUP),
    Permission("channels.export", N_("Export the log"), _GROUP),
)
