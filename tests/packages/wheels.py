"""The wheel of a checkout, built with the tools of this environment: no isolated one is made, nothing downloaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.once import made_once

REPO = Path(__file__).parents[2]


def built(source: Path, folder: Path) -> Path:
    """The wheel of `source`, in `folder`."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def of_this_checkout(factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout; built once a run, not to be changed."""
    [wheel] = made_once(factory, "wheel", _built).glob("*.whl")
    return wheel


def _built(folder: Path) -> None:
    built(REPO, folder)
