"""The texts of the page: every key that is used exists, and every language has all keys with the same places."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from page.bundle import PAGE
from reporting.figures.points import u4ssc
from telemetry.kpi_value import Reason

TEXTS = PAGE / "texts"
OTHERS = sorted({p.stem for p in TEXTS.glob("*.json")} - {"en"})
_LITERAL = re.compile(r'\b(?:t|rich)\(\s*"([^"]+)"')
_DOTTED = re.compile(r'"([a-z_]+(?:\.[A-Za-z0-9_]+)+)"')  # no other literal of the script has this form, but files
_BUILT = re.compile(r"\b(?:t|rich)\(\s*`([^`$]+)\$\{")
_PLACES = re.compile(r"\{\w+\}")


def texts(language: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    return found


def source() -> str:
    return "\n".join(p.read_text(encoding="utf-8") for p in PAGE.rglob("*.js"))


def forms(text: Any) -> list[str]:
    return [text] if isinstance(text, str) else list(text.values())


def test_every_key_in_the_script_has_a_text() -> None:
    known, code = texts("en"), source()
    used = set(_LITERAL.findall(code)) | {k for k in _DOTTED.findall(code) if not k.endswith((".js", ".css", ".json"))}
    assert len(used) > 150
    assert sorted(k for k in used if k not in known) == []
    starts = set(_BUILT.findall(code))
    assert sorted(start for start in starts if not any(k.startswith(start) for k in known)) == []


def test_every_reason_status_and_sub_dimension_of_the_api_has_a_text() -> None:
    known = texts("en")
    codes = [r for r in Reason.__args__ if r]  # type: ignore[attr-defined]
    assert [r for r in codes if f"reason.{r}" not in known] == []
    assert [k.sub_dimension for k in u4ssc() if f"sub.{k.sub_dimension}" not in known] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_every_text_with_the_same_places(language: str) -> None:
    english, mine = texts("en"), texts(language)
    assert sorted(set(english) ^ set(mine)) == []
    wrong = [
        key
        for key, text in english.items()
        if {p for f in forms(mine[key]) for p in _PLACES.findall(f)}
        != {p for f in forms(text) for p in _PLACES.findall(f)}
    ]
    assert wrong == []
    assert [key for key, text in mine.items() if isinstance(text, dict) and not {"one", "other"} <= text.keys()] == []


def test_there_are_five_languages() -> None:
    assert OTHERS == ["de", "es", "fr", "nb"]


def test_no_text_has_words_that_the_house_does_not_use() -> None:
    for text in (t for value in texts("en").values() for t in forms(value)):
        assert not re.search(r"\b(please|oops|invalid|insufficient|error occurred)\b", text, re.IGNORECASE), text


def test_the_files_are_read_as_utf_8_without_a_mark() -> None:
    assert [p.name for p in sorted(TEXTS.glob("*.json")) if Path(p).read_bytes().startswith(b"\xef\xbb\xbf")] == []
