"""How patient webhooks are; everything has a default, so nothing needs to be filled in."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from core.sdk import N_


class WebhookSettings(Schema):
    """When a receiver that fails is given up for the time being, how long a replaced secret lives, how long the log is kept."""

    pause_after_failures = fields.Integer(
        load_default=20,
        validate=validate.Range(3, 1000),
        metadata={
            "label": N_("Pause after failures"),
            "help": N_("So many attempts in a row have to fail before a webhook is paused."),
        },
    )
    pause_after_hours = fields.Integer(
        load_default=12,
        validate=validate.Range(0, 72),
        metadata={"label": N_("Pause after hours"), "help": N_("For so many hours a webhook has to fail before it is paused.")},
    )
    overlap_hours = fields.Integer(
        load_default=24,
        validate=validate.Range(0, 168),
        metadata={"label": N_("Overlap of secrets in hours"), "help": N_("For so long messages are signed with the former secret, too.")},
    )
    keep_days = fields.Integer(
        load_default=30,
        validate=validate.Range(1, 365),
        metadata={"label": N_("Days in the log"), "help": N_("Older deliveries are deleted.")},
    )
