"""The password policy and the hashes."""

from __future__ import annotations

import pytest

from core.runtime.security import passwords
from core.runtime.security.passwords import (
    PasswordCommon,
    PasswordLong,
    PasswordPersonal,
    PasswordShort,
    check_password,
    common_passwords,
    hash_password,
    needs_rehash,
    one_time_password,
    verify_password,
)

CONTEXT = ("Li Yuanming", "liyuanming@tea-house.example")


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    monkeypatch.setattr(passwords, "HASH_METHOD", "scrypt:1024:1:1")
    passwords.fake_hash.cache_clear()
    yield
    passwords.fake_hash.cache_clear()


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("short-one", PasswordShort),
        ("elevenchars", PasswordShort),
        ("x" * 129, PasswordLong),
        ("passwordpassword", PasswordCommon),
        ("P@ssw0rd2024!!", PasswordCommon),
        ("Summer2024Summer2024", PasswordCommon),
        ("qwertyuiop12", PasswordCommon),
        ("123456789012", PasswordCommon),
        ("aaaaaaaaaaaaaaaa", PasswordCommon),
        ("abcabcabcabcabc", PasswordCommon),
        ("liyuanming-2024!", PasswordPersonal),
        ("tea-house-tea-house", PasswordPersonal),
        ("orderloom-admin-1", PasswordPersonal),
    ],
)
def test_check_password_refuses_what_is_easy_to_guess(password, error):
    with pytest.raises(error) as refused:
        check_password(password, context=CONTEXT)
    assert type(refused.value) is error
    assert refused.value.field == "password"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "brass-kettle-hums-91",
        "我的密码是一个很长的句子呢",
        "7hk2m-ppq9v-zz3aa-mk4wd",
        "äöüßéñøåçžšč",
        "xyq7-wander-82",
    ],
)
def test_check_password_takes_long_ones_without_rules_of_composition(password):
    assert check_password(password, context=CONTEXT) == password


def test_check_password_brings_unicode_into_one_form():
    assert check_password("ｂrass-kettle-hums-91") == "brass-kettle-hums-91"


def test_hash_opens_for_its_password_only():
    stored = hash_password("brass-kettle-hums-91")

    assert stored.startswith("scrypt:1024:1:1$")
    assert verify_password(stored, "brass-kettle-hums-91") is True
    assert verify_password(stored, "ｂrass-kettle-hums-91") is True
    assert verify_password(stored, "brass-kettle-hums-92") is False
    assert hash_password("brass-kettle-hums-91") != stored


def test_missing_account_costs_one_hash_of_the_same_kind(monkeypatch):
    checked = []
    monkeypatch.setattr(passwords, "check_password_hash", lambda stored, _given: checked.append(stored) or True)

    assert verify_password(None, "anything") is False
    assert [stored.split("$")[0] for stored in checked] == ["scrypt:1024:1:1"]


def test_hash_is_old_when_its_parameters_are():
    assert needs_rehash("scrypt:32768:8:1$salt$hash") is True
    assert needs_rehash(hash_password("brass-kettle-hums-91")) is False


def test_one_time_passwords_differ_and_pass_the_policy():
    made = {one_time_password() for _ in range(200)}

    assert len(made) == 200
    assert {check_password(one) for one in made} == made


def test_list_of_common_passwords_is_whole():
    assert len(common_passwords()) > 1000
    assert {"password", "qwerty", "123456789", "woaini1314", "iloveyou"} <= common_passwords()
