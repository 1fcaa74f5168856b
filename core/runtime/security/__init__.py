"""Secrets, audit, permissions, accounts and tokens. Nothing here knows the web."""
