"""Keys for people who think in labels: Latin letters as they are, Chinese as pinyin, what is taken numbered."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

from core.kernel.text.pinyin import syllables

MAX_KEY = 40
_FALLBACK = "field"
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+")
_OTHER = re.compile(r"[^a-z0-9]+")


def propose_key(label: str, *, taken: Container[str] = (), prefix: str = "") -> str:
    """A key for something with this label: `Batch No.` gives `batch_no`, `供应商` gives `gongyingshang`; never one of `taken`.

    At most 40 characters, beginning with `prefix`, else with a letter. A label without a usable character gives `field`.
    """
    folded = "".join(mark for mark in unicodedata.normalize("NFKD", label).casefold() if not unicodedata.combining(mark))
    spoken = _HAN.sub(lambda run: f" {''.join(syllables(run[0]))} ", folded)
    plain = _OTHER.sub("_", spoken).strip("_") or _FALLBACK
    if not prefix and not plain[0].isalpha():
        plain = f"n{plain}"
    found = wanted = (prefix + plain)[:MAX_KEY].rstrip("_")
    number = 2
    while found in taken:
        tail = f"_{number}"
        found, number = wanted[: MAX_KEY - len(tail)] + tail, number + 1
    return found
