"""Say hello to a greeting service."""

from marshmallow import Schema, fields

from core.sdk import Lifecycle, Secret, hookimpl

PLUGIN = {"id": "toy_hello", "version": "0.1.0", "egress_from_settings": ["address"], "settings": "Config"}


class Config(Schema):
    address = fields.Url(required=True, require_tld=False, metadata={"label": "Address"})
    api_key = Secret(required=True, metadata={"label": "API key"})
    sender = fields.String(load_default="SHOP")


def check(ctx):
    return ctx.http.request("GET", ctx.config["address"], headers={"X-Key": ctx.secrets["api_key"]}).text()


@hookimpl
def register_lifecycle():
    return Lifecycle(check_connection=check)
