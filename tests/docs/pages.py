"""A page of the documentation as its reader follows it: its commands in their order, each run where the test says."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import pytest

from cityvitals.__main__ import main
from tests.processes import SEARCH_PATH

REPO = Path(__file__).parents[2]
_BLOCK = re.compile(r"^ *```(sh|console)\n(.*?)^ *```$", re.M | re.S)


class Page:
    """`left`: the commands that the test has not taken yet; a test of a whole page ends with none."""

    def __init__(self, name: str) -> None:
        self.text = (REPO / name).read_text(encoding="utf-8")
        self.left = [line for kind, block in _BLOCK.findall(self.text) for line in _commands(block, kind)]

    def take(self, start: str) -> str:
        """The next command; it begins so."""
        line = self.left.pop(0)
        assert line.startswith(start), f"the page has another order: {line}"
        return line

    def code(self, language: str, number: int = 0) -> str:
        """A block of another language."""
        found = re.findall(rf"```{language}\n(.*?)```", self.text, re.S)
        assert len(found) > number, f"the page has {len(found)} blocks of {language}"
        return str(found[number])

    def span(self, start: str) -> str:
        """The command in the text that begins so."""
        found = re.findall(rf"`((?:[A-Z_]+=\S+ )*{re.escape(start)}[^`\n]*)`", self.text)
        assert found, f"the page names no command {start}"
        return str(found[0])


def _commands(block: str, kind: str) -> list[str]:
    """The commands of a block; in one of `console` they stand behind a prompt, between what they print."""
    lines = [line.strip() for line in block.replace("\\\n", " ").splitlines()]
    if kind == "console":
        return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line for line in lines if line and line[0] != "#"]


def words_of(line: str) -> tuple[list[str], dict[str, str]]:
    """The words of a command, and the variables that stand before it."""
    words, given = shlex.split(line, comments=True), dict[str, str]()
    while found := re.fullmatch(r"([A-Z_]+)=(.*)", words[0]):
        given[found[1]] = found[2]
        words.pop(0)
    if words[0] in ("cityvitals", "esptool"):  # where the environment that the tests run in is not on the PATH
        words = ["python", "-m", *words]
    return ([sys.executable, *words[1:]] if words[0] == "python" else words), given


def run(line: str, folder: Path, codes: tuple[int, ...] = (0,), environment: Mapping[str, str] = {}) -> str:
    """What the command prints; `environment` overrides what stands before it.

    A command of CityVitals runs in this process, which saves half a second of start each time.
    """
    words, given = words_of(line)
    if words[0] == sys.executable and words[2] == "cityvitals":
        text, code = _ours(words[3:], folder, {**given, **environment})
    else:
        surrounding = {**os.environ, "PYTHONPATH": str(REPO), "PATH": SEARCH_PATH}
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, check=False, env={**surrounding, **given, **environment}
        )
        text, code = done.stdout + done.stderr, done.returncode
    assert code in codes, f"{line}\n{text}"
    return text


def _ours(words: list[str], folder: Path, environment: dict[str, str]) -> tuple[str, int]:
    """Output and exit code of `cityvitals` with these words, as its `main` has them."""
    out = io.StringIO()
    changed = {"COLUMNS": "80", **environment}
    with (
        contextlib.chdir(folder), mock.patch.dict(os.environ, changed),
        mock.patch.object(sys, "argv", ["cityvitals", *words]),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), pytest.raises(SystemExit) as ended,
    ):  # fmt: skip
        main()
    return out.getvalue(), int(ended.value.code or 0)
