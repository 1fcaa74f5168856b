"""Keys proposed from labels."""

from __future__ import annotations

import re

import pytest

from core.engines.metadata.tailor.naming import propose_key
from core.engines.metadata.tailor.shapes import KEY


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Batch No.", "batch_no"),
        ("供应商投诉", "gongyingshangtousu"),
        ("批次 No. 3", "pici_no_3"),
        ("Größe", "grosse"),
        ("3rd party", "n3rd_party"),
        ("???", "field"),
        ("", "field"),
    ],
)
def test_key_is_made_of_the_label(label, key):
    assert propose_key(label) == key


def test_key_is_numbered_when_it_is_taken():
    assert propose_key("Cost", taken={"cost", "cost_2"}) == "cost_3"


def test_key_begins_with_the_prefix_and_stays_short_when_the_label_is_long():
    first = propose_key("重量" * 40, prefix="cf_")
    second = propose_key("重量" * 40, prefix="cf_", taken={first})

    assert first.startswith("cf_zhongliang")
    assert second.endswith("_2")
    assert all(len(key) <= 40 and re.fullmatch(KEY, key) for key in (first, second))
