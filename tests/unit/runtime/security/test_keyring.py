"""Master keys as they are configured."""

from __future__ import annotations

import base64

import pytest

from core.runtime.security.keyring import MasterKeyInvalid, Vault, VaultMissing

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.urlsafe_b64encode(b"\xff" * 32).decode().rstrip("=")


def test_vault_takes_the_first_key_for_current():
    assert Vault.from_text(f"k2:{OTHER}, k1:{KEY}").current == "k2"


@pytest.mark.parametrize("text", [KEY, f":{KEY}", "k1:", "k1:!!!", "k1:c2hvcnQ=", f"k1:{KEY}x"])
def test_vault_refuses_keys_that_are_none(text):
    with pytest.raises(MasterKeyInvalid):
        Vault.from_text(text)


@pytest.mark.parametrize("text", ["", " , "])
def test_vault_is_missing_when_no_key_is_given(text):
    with pytest.raises(VaultMissing):
        Vault.from_text(text)


def test_vault_shows_no_key_in_its_errors():
    with pytest.raises(MasterKeyInvalid) as refused:
        Vault.from_text(f"k1:{KEY[:20]}")
    assert KEY[:20] not in str(refused.value) + repr(refused.value.facts)
