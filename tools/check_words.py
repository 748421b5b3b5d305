"""`python -m tools.check_words [FILE...]`: find words that docs/glossary.md replaces; exit 1 where there are any.

The list of words and the rooms that are checked are in tools/words.toml. With FILE, those files are read instead.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
KINDS = {".py", ".md", ".toml", ".html", ".js", ".css", ".yml", ".yaml", ".csv", ""}
SKIPPED = {"__pycache__", "node_modules", "cases"}


class Word(NamedTuple):
    """A pattern of words to avoid, and what to write instead."""

    find: re.Pattern[str]
    use: str


def load(path: Path = ROOT / "tools" / "words.toml") -> tuple[list[Path], list[Word], list[str]]:
    """Rooms to check, words, and allowed spellings."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    words = [Word(re.compile(rf"(?<![A-Za-z])(?:{w['find']})(?![A-Za-z])", re.I), w["use"]) for w in table["word"]]
    return [ROOT / room for room in table["rooms"]], words, table["allowed"]


def problems(text: str, words: list[Word], allowed: list[str]) -> Iterator[tuple[int, str, str]]:
    """Line number, found words and replacement of each use."""
    any_of = _any(tuple(word.find.pattern for word in words))  # most lines have none of them
    for number, line in enumerate(text.splitlines(), 1):
        if not any_of.search(line):
            continue
        for spelling in allowed:
            line = line.replace(spelling, "")  # noqa: PLW2901 - the rest of the line is checked
        for word in words:
            for found in word.find.finditer(line):
                yield number, found[0], word.use


@cache
def _any(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I)


def files(rooms: list[Path]) -> Iterator[Path]:
    """Text files of the rooms, in order."""
    for room in rooms:
        for path in [room] if room.is_file() else sorted(room.rglob("*")):
            if path.is_file() and (path == room or path.suffix in KINDS) and not SKIPPED & set(path.parts):
                yield path


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def main() -> int:
    """Print each use; return the exit status."""
    rooms, words, allowed = load()
    count = 0
    for path in files([Path(name).resolve() for name in sys.argv[1:]] or rooms):
        if path.name in ("words.toml", "glossary.md", "test_check_words.py"):  # they name the words
            continue
        for number, found, use in problems(path.read_text(encoding="utf-8"), words, allowed):
            print(f"{_shown(path)}:{number}: '{found.strip()}': write {use}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
