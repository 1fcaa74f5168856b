"""How quiet the bell is; everything has a default, so nothing needs to be filled in."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from core.sdk import N_


class BellSettings(Schema):
    """How long the same thing is not told again, and how long notices are kept."""

    quiet_minutes = fields.Integer(
        load_default=60,
        validate=validate.Range(0, 1440),
        metadata={
            "label": N_("Quiet minutes"),
            "help": N_("For so long after it was read, the same thing is not told again."),
        },
    )
    keep_days = fields.Integer(
        load_default=90,
        validate=validate.Range(1, 365),
        metadata={"label": N_("Days kept"), "help": N_("Older notifications are deleted, read or not.")},
    )
