"""The crud kit: screens generated from entity types, on Flask-AppBuilder's views, permissions and forms (docs/architecture/crud.md)."""
