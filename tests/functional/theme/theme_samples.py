"""Every template of the theme with the function that makes its sample context, by page name."""

from __future__ import annotations

from collections.abc import Callable

from tests.functional.theme import theme_sample_orders as orders
from tests.functional.theme import theme_sample_pages as pages
from tests.functional.theme.theme_sample_base import Context

PAGES: dict[str, tuple[str, Callable[[str], Context]]] = {
    "home": ("pages/home.html", pages.home), "orders": ("kit/list.html", orders.orders), "orders-50": ("kit/list.html", orders.orders_compact),
    "orders-empty": ("kit/list.html", orders.orders_empty), "order": ("pages/order.html", orders.order), "show": ("kit/show.html", orders.show),
    "form": ("kit/form.html", orders.form), "plugins": ("pages/plugins.html", pages.plugins), "plugin-overview": ("pages/plugin.html", pages.plugin_overview),
    "plugin-setup": ("pages/plugin.html", pages.plugin_setup), "plugin-activity": ("pages/plugin.html", pages.plugin_activity),
    "plugin-mapping": ("pages/plugin.html", pages.plugin_activity), "plugin-permissions": ("pages/plugin.html", pages.plugin_permissions),
    "plugin-versions": ("pages/plugin.html", pages.plugin_versions), "sync": ("pages/sync.html", pages.sync), "jobs": ("pages/jobs.html", pages.jobs),
    "bulk-run": ("pages/bulk_run.html", pages.bulk_run), "audit": ("pages/audit.html", pages.audit), "tokens": ("pages/tokens.html", pages.tokens),
    "members": ("pages/members.html", pages.members), "roles": ("pages/roles.html", pages.roles), "notifications": ("pages/notifications.html", pages.notifications),
    "webhooks": ("pages/webhooks.html", pages.webhooks), "webhook": ("pages/webhook.html", pages.webhook), "unmapped": ("pages/unmapped.html", pages.unmapped),
    "login": ("pages/login.html", pages.login), "tenants": ("pages/tenants.html", pages.tenants), "password": ("pages/password.html", pages.password),
    "invitation": ("pages/invitation.html", pages.invitation), "error-403": ("errors/error.html", pages.fault(403)), "error-404": ("errors/error.html", pages.fault(404)),
    "error-409": ("errors/error.html", pages.fault(409)), "error-500": ("errors/error.html", pages.fault(500)), "ui": ("dev/ui.html", pages.ui),
    "search": ("shell/palette_page.html", orders.palette),
}  # fmt: skip
FRAGMENTS: dict[str, tuple[str, Callable[[str], Context]]] = {
    "counts": ("kit/_counts.html", orders.counts), "peek": ("kit/peek.html", orders.peek), "palette": ("shell/_palette_results.html", orders.palette),
    "bell": ("pages/_bell.html", pages.notifications), "test": ("pages/_test_result.html", lambda language: {"last": pages.plugin_setup(language)["test"]["last"]}),
    "bulk": ("pages/_bulk_progress.html", pages.bulk_run),
}  # fmt: skip
