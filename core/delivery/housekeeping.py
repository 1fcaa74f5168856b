"""What is tidied up at night beside the tenants' own data: sign-ins, their counters, used links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from core.runtime.events.handling import DeliveredEvent, LocalContext
from core.runtime.events.schedules import Schedule
from core.runtime.security.housekeeping import sweep
from core.runtime.tenancy.database import Database


def sign_in_schedules(database: Database) -> list[Schedule]:
    """The timer that forgets ended sign-ins every night.

    Accounts belong to no tenant while timers do, so each tenant's tick does the whole; whoever comes later finds nothing left.
    """

    def forget(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
        with database.platform() as session:
            ctx.log.info("sign_ins.swept", **sweep(session, now=ctx.clock.now()))

    return [Schedule(key="core.ended_sign_ins", at=time(4, 40), jitter_s=3600, handle=forget)]
