"""Cheap password hashes: these tests are about what is stored and refused, not about how long a hash takes."""

import pytest

from core.runtime.security import passwords


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch):
    monkeypatch.setattr(passwords, "HASH_METHOD", "scrypt:1024:1:1")
    passwords.fake_hash.cache_clear()
    yield
    passwords.fake_hash.cache_clear()
