"""Which program text runs: a digest of the source of some packages, so that what another text has made is not taken."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def digest(*packages: str) -> str:
    """Of all Python files of these packages, by name and content. Empty where the source cannot be read."""
    found = hashlib.blake2b(digest_size=16)
    for package in packages:
        spec = find_spec(package)
        for folder in sorted(spec.submodule_search_locations or ()) if spec else ():
            files = sorted(Path(folder).rglob("*.py"))
            if not files:
                return ""
            for file in files:
                found.update(file.relative_to(folder).as_posix().encode())
                found.update(file.read_bytes())
    return found.hexdigest()
