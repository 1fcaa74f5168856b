"""Tenants and the first wall between them: scope, ORM filter, flush guard."""
