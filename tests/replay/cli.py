"""The command line as a user runs it: in a process of its own, or (quicker, for reading) in this one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from cityvitals.cli.main import app

Values = dict[tuple[str, str], dict[str, Any]]


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "cityvitals", *map(str, words)]


def run(*words: str | Path, env: Mapping[str, str] | None = None, fails: int = 0) -> str:
    """Standard output of `cityvitals WORDS`, or its complaint when it must exit with `fails`."""
    done = subprocess.run(
        command(*words), capture_output=True, text=True, timeout=240, check=False, env={**os.environ, **(env or {})}
    )
    assert done.returncode == fails, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr[-3000:]}"
    return done.stderr if fails else done.stdout


def here(*words: str | Path) -> str:
    """The same command line without a process of its own."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        app(list(map(str, words)), standalone_mode=False)
    return out.getvalue()


def replay(city: Path, store: str, *files: Path, how: Any = run) -> dict[str, float]:
    """Replay files; the summary as numbers."""
    lines = how("replay", *files, "--city", city, "--store", store).splitlines()
    return {line[:20].strip(): float(line[20:].replace(",", "")) for line in lines if line.strip()}


def show(city: str, store: str, period: str, form: str = "json", how: Any = here) -> str:
    text: str = how("kpi", "show", "--city", city, "--store", store, "--period", period, "--format", form)
    return text


@cache
def values(city: str, store: str, period: str) -> Values:
    """(code, part) -> the value's fields; of a store that does not change any more."""
    found: list[dict[str, Any]] = msgspec.json.decode(show(city, store, period))
    return {(v["code"], v["part"]): v for v in found}
