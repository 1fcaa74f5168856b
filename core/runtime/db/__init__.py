"""The database: declarative base, engine, set-based writes, row-level security and migrations."""
