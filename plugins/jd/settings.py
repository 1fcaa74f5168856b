"""What a tenant fills in to connect a JD shop."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from core.sdk import N_, Secret

GATEWAY = "https://api.jd.com/routerjson"


class JdSettings(Schema):
    """Key, secret and token of the JOS app, and the address of the gateway."""

    app_key = fields.String(
        required=True,
        validate=validate.Length(min=1, max=64),
        metadata={"label": N_("App key"), "help": N_("The key of your app, from the JOS console.")},
    )
    app_secret = Secret(
        required=True,
        validate=validate.Length(min=1, max=128),
        metadata={"label": N_("App secret"), "help": N_("The secret of your app; it signs every call.")},
    )
    access_token = Secret(
        required=True,
        validate=validate.Length(min=1, max=256),
        metadata={
            "label": N_("Access token"),
            "help": N_("The shop's token for this app. JD renews it only in the last 24 hours before it expires."),
        },
    )
    gateway = fields.Url(
        load_default=GATEWAY,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"label": N_("Gateway"), "help": N_("Leave this as it is, unless you work against a simulator.")},
    )
