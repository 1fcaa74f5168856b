"""The web application on a real database, with pages that stand for those of the domain and of plugins."""

from __future__ import annotations

import pytest
from flask import make_response, request
from flask_appbuilder.api import BaseApi, safe
from flask_appbuilder.baseviews import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name, protect
from sqlalchemy import text

from config.schema import Settings
from core.delivery.web.factory import WebParts, build_app
from core.delivery.web.marks import public, stateless
from core.delivery.web.unit import db
from core.kernel.clock import FixedClock
from core.kernel.errors import Conflict, Invalid
from core.runtime.security import passwords
from core.runtime.security.models import Role
from tests.factories.security import NOON, Switch, make_rights
from tests.fixtures.web import HOST, Site


class ProbeView(BaseView):
    """Stands for the pages of the domain: one per permission, and some that fail."""

    route_base = "/probe"
    default_view = "read"
    permission_keys = {"read": "orders.read", "write": "orders.write", "fail": "orders.read"}

    @expose("/read")
    @has_access
    def read(self):
        return f"read {db().execute(text('select current_setting(:name)'), {'name': 'app.tenant'}).scalar()}"

    @expose("/write", methods=["POST"])
    @has_access
    def write(self):
        db().add(Role(code="made-by-probe", title="Probe", patterns=[]))
        db().flush()
        return make_response("wrote", int(request.args.get("status", 200)))

    @expose("/fail/<string:how>")
    @has_access
    def fail(self, how):
        if how == "invalid":
            raise Invalid("Not good.", field="sku", hint="x")
        if how == "conflict":
            raise Conflict
        if how == "sql":
            db().execute(text("select secret_column from secret_table"))
        if how == "data":
            db().execute(text("select cast(:value as int)"), {"value": "secret-value"})
        raise RuntimeError("secret inside")

    @expose("/door", methods=["GET", "POST"])
    @public
    @stateless
    def door(self):
        return f"door {db().execute(text('select current_setting(:name, true)'), {'name': 'app.tenant'}).scalar()}"


class ProbeApi(BaseApi):
    """Stands for REST resources; takes the browser's cookie too."""

    resource_name = "probe"
    allow_browser_login = True
    permission_keys = {"get": "orders.read", "post": "orders.write", "fail": "orders.read"}

    @expose("/", methods=["GET"])
    @protect()
    @permission_name("get")
    def get(self):
        return self.response(200, tenant=db().execute(text("select current_setting('app.tenant')")).scalar())

    @expose("/", methods=["POST"])
    @protect()
    @permission_name("post")
    def post(self):
        return self.response(201)

    @expose("/fail", methods=["GET"])
    @protect()
    @safe
    @permission_name("fail")
    def fail(self):
        raise Invalid("Not good.", field="sku", hint="x")


class PluginView(BaseView):
    """Stands for a page of the plugin `jd`."""

    route_base = "/jd"
    default_view = "shops"
    plugin = "jd"
    permission_keys = {"shops": "jd.read"}

    @expose("/shops")
    @has_access
    def shops(self):
        return "shops"

    @expose("/hook", methods=["POST"])
    @public
    @stateless
    def hook(self):
        return "hooked"


@pytest.fixture(scope="module")
def site(world):
    patch = pytest.MonkeyPatch()
    patch.setattr(passwords, "HASH_METHOD", "scrypt:1024:1:1")
    passwords.fake_hash.cache_clear()
    switch, clock, sent = Switch(), FixedClock(NOON), []
    rights = make_rights(switch)
    parts = WebParts(
        rights=rights,
        clock=clock,
        plugin_is_on=lambda plugin: plugin in switch.plugins,
        send_reset=lambda *message: sent.append(message),
        register=[lambda builder: [builder.add_view_no_menu(view) for view in (ProbeView, ProbeApi, PluginView)]],
    )
    settings = Settings(secret_key="k" * 40, trusted_hosts=(HOST,), session_idle_s=3600, session_lifetime_s=12 * 3600)
    yield Site(world, build_app(settings, world.database, parts), clock, rights, switch, sent)
    passwords.fake_hash.cache_clear()
    patch.undo()


@pytest.fixture(autouse=True)
def _fresh(site):
    site.forget_attempts()
    site.switch.plugins = frozenset()
