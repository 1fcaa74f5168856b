"""What a tenant fills in to connect a Taobao shop."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from core.sdk import N_, Secret
from plugins.taobao.gateway import DEFAULT_URL
from plugins.taobao.signing import SIGN_METHODS


class TaobaoSettings(Schema):
    """The app's and the shop's credentials; secrets are write-only and reach the plugin as `ctx.secrets`."""

    app_key = fields.String(
        required=True,
        validate=validate.Regexp(r"^[0-9]{4,12}$", error=N_("The app key is a number.")),
        metadata={"label": N_("App key"), "help": N_("The number of your app on the Taobao Open Platform.")},
    )
    app_secret = Secret(
        required=True,
        validate=validate.Length(min=1, max=128),
        metadata={"label": N_("App secret"), "help": N_("Shown beside the app key in the platform's console.")},
    )
    session = Secret(
        required=True,
        validate=validate.Length(min=1, max=256),
        metadata={
            "label": N_("Session key"),
            "help": N_("The access token that the seller's authorisation returned. Renew it when the shop asks for it."),
        },
    )
    gateway = fields.Url(
        load_default=DEFAULT_URL,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"label": N_("Gateway"), "help": N_("Leave it as it is, unless you test against a sandbox or the simulator.")},
    )
    sign_method = fields.String(
        load_default="hmac-sha256",
        validate=validate.OneOf(SIGN_METHODS, labels=["MD5", "HMAC-MD5", "HMAC-SHA256"]),
        metadata={"label": N_("Signature"), "help": N_("How requests are signed.")},
    )
