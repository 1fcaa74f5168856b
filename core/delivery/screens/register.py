"""Adds every screen and REST resource to Flask-AppBuilder: generated ones for all entity types, special ones where a page needs more."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import AppBuilder

from core.delivery.api.config import ConfigApi
from core.delivery.api.files import FilesApi
from core.delivery.api.intake import RefundIntakeApi, StockIntakeApi
from core.delivery.api.openapi import ApiPageView, OpenApi
from core.delivery.api.orders import OrderApi
from core.delivery.api.own_records import own_record_api
from core.delivery.api.resource import EntityApi, api_class
from core.delivery.screens.bulk_runs import BulkRunView
from core.delivery.screens.customers import CustomerView
from core.delivery.screens.customise import CustomiseView
from core.delivery.screens.customise_fields import CustomiseFieldView
from core.delivery.screens.customise_files import CustomiseFileView
from core.delivery.screens.customise_help import CustomiseHelpView
from core.delivery.screens.customise_labels import CustomiseLabelView
from core.delivery.screens.customise_layouts import CustomiseLayoutView
from core.delivery.screens.customise_versions import CustomiseVersionView
from core.delivery.screens.documents import DocumentView
from core.delivery.screens.home import home_page
from core.delivery.screens.jobs import JobsView
from core.delivery.screens.order_entry import OrderEntryView
from core.delivery.screens.orders import OrderView
from core.delivery.screens.own_records import own_entries, own_record_view
from core.delivery.screens.plugins import PluginView
from core.delivery.screens.receiving import ReceiveView, StockView
from core.delivery.screens.refund_order import RefundOrderView
from core.delivery.screens.search import SearchView, complete_frame
from core.delivery.screens.ship_order import ShipOrderView
from core.delivery.screens.shop_scope import ShopScopeView, shop_scope
from core.delivery.screens.sync import SyncView
from core.delivery.screens.unmapped import UnmappedView
from core.delivery.web.crud.addressing import view_name
from core.delivery.web.crud.bulk import EXTENSION as BULK
from core.delivery.web.crud.scope import EXTENSION as SCOPE
from core.delivery.web.crud.view import EntityView, view_class
from core.delivery.web.frame import extend_frame
from core.delivery.web.health import init_health
from core.delivery.web.menu import Entry
from core.delivery.web.screens.places import StartView
from core.kernel.messages import N_
from core.runtime.db.migrate import pending
from core.runtime.security.permissions import MEMBER

SPECIAL_VIEWS: dict[str, type[EntityView]] = {
    "orders.order": OrderView,
    "customers.customer": CustomerView,
    "channels.document": DocumentView,
    "inventory.stock": StockView,
}
CUSTOMISE = (
    CustomiseView,
    CustomiseFieldView,
    CustomiseLayoutView,
    CustomiseLabelView,
    CustomiseVersionView,
    CustomiseFileView,
    CustomiseHelpView,
)
HIDDEN = (
    "orders.line",
    "fulfilment.shipment_line",
    "fulfilment.parcel",
    "catalog.kit_item",
    "customers.address",
    "inventory.reservation",
    "channels.unmapped",
)


def register_all(builder: AppBuilder, system: Any) -> None:
    """Add the screens; `system` is the process's `System`."""
    builder.app.extensions["oms.system"] = system
    builder.app.extensions[BULK] = system.bulk
    builder.app.extensions[SCOPE] = shop_scope
    next(view for view in builder.baseviews if isinstance(view, StartView)).home_page = home_page
    extend_frame(complete_frame)
    settings = system.settings
    folders = system.plugins.host.migration_folders()
    init_health(builder.app, system.database, queue_url=settings.queue_url, pending=lambda: pending(settings.database_url, folders))
    menu, session = builder.menu, builder.session
    for order, entity in enumerate(system.entities):
        base = SPECIAL_VIEWS.get(entity.key, EntityView)
        builder.add_view_no_menu(view_class(entity, system.entities, session, base=base)())
        if entity.menu and entity.key not in HIDDEN:
            section = entity.menu if entity.menu != "channels" else "settings"
            endpoint = f"{view_name(entity.key)}.list"
            menu.add(Entry(entity.key, entity.label_plural, section, endpoint, f"{entity.area}.read", entity.icon, order=50 + order))
        builder.add_api(api_class(entity, system.entities, session, base=EntityApi))
    builder.add_view_no_menu(own_record_view(system.entities, session)())
    builder.add_api(own_record_api(system.entities, session))
    menu.own = own_entries
    for api in (OrderApi, RefundIntakeApi, StockIntakeApi, ConfigApi, FilesApi, OpenApi):
        builder.add_api(api)
    pages = (PluginView, SyncView, BulkRunView, JobsView, SearchView, UnmappedView, ApiPageView)
    for view in (*pages, *CUSTOMISE, OrderEntryView, ShipOrderView, RefundOrderView, ReceiveView, ShopScopeView):
        builder.add_view_no_menu(view)
    menu.add(Entry("plugins", N_("Plugins"), "plugins", "PluginView.list", "plugins.read", "plug", order=10))
    menu.add(Entry("customise", N_("Fields and records"), "settings", "CustomiseView.list", "config.read", "database", order=15))
    menu.add(Entry("api", N_("REST interface"), "settings", "ApiPageView.show", MEMBER, "api", order=90))
    menu.add(Entry("sync", N_("Synchronisation"), "orders", "SyncView.first", "channels.read", "refresh", order=80))
    menu.add(Entry("unmapped", N_("Unmapped values"), "orders", "UnmappedView.list", "channels.read", "arrows-exchange", order=85))
    menu.add(Entry("jobs", N_("Jobs"), "settings", "JobsView.list", "jobs.read", "checklist", order=45))
