"""Chinese by sound: readings of Han runs for search, and keys that sort names as a Chinese phone book does.

The readings come from pypinyin's tables; its own lookup takes about 90 µs for nine characters, which intake cannot afford, so
the tables are reduced once to one reading a character plus the phrases that are read otherwise (重庆 is chóng qìng, not zhòng
qìng). They are read from its data files and the package is not imported: that takes three times as long and keeps 60 MB.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from threading import Lock, Thread
from typing import Any

HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAN_RUN = re.compile(f"[{HAN}]+")
_MAX_PHRASE = 8
_MAX_SORT_KEY = 200
# Characters that are read in another way when they are a family name.
_SURNAMES = {
    "曾": "zeng",
    "单": "shan",
    "仇": "qiu",
    "解": "xie",
    "查": "zha",
    "区": "ou",
    "盖": "ge",
    "朴": "piao",
    "翟": "zhai",
    "缪": "miao",
    "乐": "yue",
    "员": "yun",
    "召": "shao",
    "折": "she",
    "种": "chong",
    "繁": "po",
    "秘": "bi",
    "黑": "he",
    "覃": "qin",
    "卜": "bu",
}


_READING = Lock()


@dataclass(frozen=True, slots=True)
class _Readings:
    """One toneless reading for each character, and the phrases whose reading is not the sum of their characters'.

    `longest` is the length of the longest such phrase that starts with a character; characters that start none are left out.
    """

    characters: dict[str, str]
    phrases: dict[str, tuple[str, ...]]
    longest: dict[str, int]


def _table(name: str) -> dict[str, Any]:
    """One of pypinyin's data files: characters by code point ("líng,yuán"), or phrases ([["yī"], ["dīng"]])."""
    package = find_spec("pypinyin")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("pypinyin is not installed")
    table: dict[str, Any] = json.loads(Path(package.origin).with_name(f"{name}.json").read_bytes())
    return table


@lru_cache(maxsize=2_000)
def _toneless(syllable: str) -> str:
    """The syllable without its tone mark; ü becomes v, as input methods spell it."""
    letters = unicodedata.normalize("NFD", syllable).replace("u\u0308", "v")
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _tables() -> _Readings:
    """The reduced tables; the first call takes 0.3 s, later calls nothing. Whoever comes meanwhile waits instead of reading them too."""
    with _READING:
        return _readings()


@lru_cache(maxsize=1)
def _readings() -> _Readings:
    characters = {chr(int(point)): _toneless(spoken.split(",", 1)[0]) for point, spoken in _table("pinyin_dict").items()}
    phrases: dict[str, tuple[str, ...]] = {}
    longest: dict[str, int] = {}
    for line in _special_phrases(characters).splitlines():
        phrase, *spoken = line.split(" ")
        phrases[phrase] = tuple(spoken)
        longest[phrase[0]] = max(longest.get(phrase[0], 0), len(phrase))
    _toneless.cache_clear()
    return _Readings(characters, phrases, longest)


def preload_pinyin() -> bool:
    """Read the tables in the background, so that nobody waits for them; False when they are there or on their way. Costs about 40 MB."""
    if _READING.locked() or _readings.cache_info().currsize:
        return False
    Thread(target=_tables, name="pinyin", daemon=True).start()
    return True


def _special_phrases(characters: dict[str, str]) -> str:
    """A line (`重庆 chong qing`) for each phrase that its characters alone would get wrong.

    One text instead of a dict: small objects made among those of the big table would keep 30 MB of its memory from being freed.
    """
    lines = StringIO()
    for phrase, readings in _table("phrases_dict").items():
        if len(phrase) <= _MAX_PHRASE and len(readings) == len(phrase):
            spoken = [_toneless(options[0]) for options in readings]
            if any(characters.get(char) != syllable for char, syllable in zip(phrase, spoken, strict=True)):
                lines.write(f"{phrase} {' '.join(spoken)}\n")
    return lines.getvalue()


@lru_cache(maxsize=50_000)
def syllables(run: str) -> tuple[str, ...]:
    """The toneless pinyin of each character of `run`, which holds Han characters only; ü is written v.

    A character without a known reading stands for itself. Phrases win over single characters, longer ones first.
    """
    tables = _tables()
    spoken: list[str] = []
    at, end = 0, len(run)
    while at < end:
        for length in range(min(tables.longest.get(run[at], 1), end - at), 1, -1):
            phrase = tables.phrases.get(run[at : at + length])
            if phrase is not None:
                spoken.extend(phrase)
                at += length
                break
        else:
            spoken.append(tables.characters.get(run[at], run[at]))
            at += 1
    return tuple(spoken)


def surname_syllables(run: str) -> tuple[str, ...] | None:
    """The reading of `run` as a person's name when its family name is read in a way of its own, else None."""
    reading = _SURNAMES.get(run[:1])
    # Double surnames such as 单于 and 尉迟 are phrases of the tables already.
    if reading is None or len(run) == 1 or run[:2] in _tables().phrases:
        return None
    return (reading, *syllables(run[1:]))


def pinyin_sort_key(text: str) -> str:
    """A key whose code point order is the order of a Chinese phone book: by syllable, Latin text among them, then by character.

    Store it beside the text and sort by it; it is at most 200 characters. The same text always gives the same key.
    """
    return _sort_key(text, is_name=False)


def name_sort_key(text: str) -> str:
    """Like `pinyin_sort_key` for names of people: 曾 sorts under zeng, 单 under shan."""
    return _sort_key(text, is_name=True)


def _sort_key(text: str, *, is_name: bool) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return " ".join(folded.split())[:_MAX_SORT_KEY]
    # A space sorts before every letter, so "li an" comes before "lian", and a shorter name before a longer one.
    spoken = _HAN_RUN.sub(lambda found: f" {' '.join(_spoken(found[0], is_name=is_name))} ", folded)
    return f"{' '.join(spoken.split())[: _MAX_SORT_KEY // 2]}  {folded}"[:_MAX_SORT_KEY]


def _spoken(run: str, *, is_name: bool) -> tuple[str, ...]:
    return (surname_syllables(run) if is_name else None) or syllables(run)
