"""The web pages: the theme, the crud kit over Flask-AppBuilder, and the pages of the domain."""
