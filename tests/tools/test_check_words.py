"""The check of words finds what the glossary replaces, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.check_words import ROOT, load, problems

BAD = {
    "the gateway is told what to do": "told",
    "_told = 1": "told",
    "'5x' is no window width": "is no",
    "a value that comes again": "comes again",
    "must divide an hour without rest": "without rest",
    "strangers are listed": "strangers",
}


@pytest.mark.parametrize("line", BAD)
def test_an_avoided_word_is_found(line: str) -> None:
    _, words, _ = load()
    assert [found for _, found, _ in problems(f"first\n{line}\n", words, [])] == [BAD[line]]


@pytest.mark.parametrize("line", ["there is no file", "it is no longer there", "a teller", "x = toldx"])
def test_an_ordinary_line_is_not_reported(line: str) -> None:
    _, words, _ = load()
    assert list(problems(line, words, [])) == []


def test_an_allowed_spelling_is_not_reported() -> None:
    _, words, _ = load()
    assert list(problems("`told_at`", words, ["told_at"])) == []


def test_the_command_names_file_line_and_replacement(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("fine\nit is told\n", encoding="utf-8")
    answer = subprocess.run(
        [sys.executable, "-m", "tools.check_words", str(page)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert answer.stdout == f"{page}:2: 'told': write log, print, report, send, state\n"
