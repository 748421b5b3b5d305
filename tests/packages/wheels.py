"""The wheel of a checkout, built with the tools of this environment: no isolated one is made, nothing downloaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def built(source: Path, folder: Path) -> Path:
    """The wheel of `source`, in `folder`."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder))
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(source)], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel
