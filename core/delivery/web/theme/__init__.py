"""The look and the shell of every page: templates over Flask-AppBuilder, tokens and components, icons, formatters, small scripts.

`init_theme(app)` is called once, before AppBuilder is made. docs/architecture/theme.md describes what the templates need.
"""

from core.delivery.web.theme.setup import TEMPLATES, TRANSLATIONS, init_theme

__all__ = ["TEMPLATES", "TRANSLATIONS", "init_theme"]
