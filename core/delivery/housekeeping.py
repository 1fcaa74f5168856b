"""What is tidied up at night beside the tenants' own data: sign-ins, their counters, used links; and files that nobody uses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from core.engines.metadata.files import sweep_files
from core.engines.metadata.tailor import Schemas
from core.runtime.events.handling import DeliveredEvent, LocalContext
from core.runtime.events.schedules import Schedule
from core.runtime.security.housekeeping import sweep
from core.runtime.tenancy.database import Database


def file_schedules(schemas: Schemas) -> list[Schedule]:
    """The timer that forgets files that no record uses."""

    def sweep_unused(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
        ctx.log.info("files.swept", number=sweep_files(ctx.session, schemas.of(ctx.session), now=ctx.clock.now()))

    return [Schedule(key="core.stored_files", at=time(4, 25), jitter_s=3600, handle=sweep_unused)]


def sign_in_schedules(database: Database) -> list[Schedule]:
    """The timer that forgets ended sign-ins every night.

    Accounts belong to no tenant while timers do, so each tenant's tick does the whole; whoever comes later finds nothing left.
    """

    def forget(ctx: LocalContext, _events: Sequence[DeliveredEvent]) -> None:
        with database.platform() as session:
            ctx.log.info("sign_ins.swept", **sweep(session, now=ctx.clock.now()))

    return [Schedule(key="core.ended_sign_ins", at=time(4, 40), jitter_s=3600, handle=forget)]
