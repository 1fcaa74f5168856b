"""`oms plugin check`: proves the claims of a plugin folder by reading it, and says which quality tier it reaches."""

from core.runtime.plugin_host.check.report import Finding, Report
from core.runtime.plugin_host.check.run import check_plugin

__all__ = ["Finding", "Report", "check_plugin"]
