"""Identifiers: version 7, increasing, unique over threads; and what spells one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

import pytest

from core.kernel.ids import new_id, parse_id


def test_id_is_of_version_7_and_bears_the_time_it_was_made():
    before = time.time_ns() // 1_000_000

    made = new_id()

    after = time.time_ns() // 1_000_000
    assert (made.int >> 76 & 0xF, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after + 1


def test_ids_increase_when_many_are_made_at_once():
    made = [new_id() for _ in range(20_000)]

    assert made == sorted(made)
    assert len(set(made)) == 20_000


def test_ids_are_unique_when_threads_make_them():
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _n: [new_id() for _ in range(2_000)], range(8)))

    assert len({one for part in made for one in part}) == 16_000
    assert all(part == sorted(part) for part in made)


def test_id_is_read_back_when_it_is_spelled_right():
    made = new_id()

    assert [parse_id(made), parse_id(str(made)), parse_id(made.hex.upper())] == [made] * 3
    assert isinstance(parse_id(str(made)), UUID)


@pytest.mark.parametrize("text", ["", "x", None, 7, "018f0000-0000-7000-8000-00000000000", "018f0000-0000-7000-8000-000000000000\x00", "\ud800"])
def test_id_is_none_when_the_text_spells_none(text):
    assert parse_id(text) is None
