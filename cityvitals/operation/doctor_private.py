"""`cityvitals doctor`: keys, tokens and secrets that other users of the machine can read."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from cityvitals.operation.doctor_files import Finding
from registry.settings import Settings

_PRIVATE = ("key", "tokens")  # names of settings that are paths of private files
_SECRETS = Path("/run/secrets")  # of a container, in which nobody else is


def readable_by_others(settings: Settings, pki: Path | None, environment: Mapping[str, str]) -> Iterator[Finding]:
    """A warning for each private file that others can read: of the settings, of `pki`, and of `*_FILE` variables."""
    named = {Path(v) for k, v in environment.items() if k.startswith("CITYVITALS__") and k.endswith("_FILE")}
    made = set(pki.rglob("*.key")) | set(pki.rglob("*key*.der")) if pki and pki.is_dir() else set()
    private = sorted({*_paths(settings), *named, *made})
    open_ones = [path for path in private if _SECRETS not in path.parents and _others_read(path)]
    for path in open_ones:
        yield Finding("warning", str(path), f"other users of this machine can read it; run `chmod 600 {path}`")
    if private and not open_ones:
        yield Finding("ok", "private files", f"{len(private)} can be read by their owner only")


def _paths(section: BaseModel) -> Iterator[Path]:
    """Paths of private files in these settings and the sections below."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _paths(value)
        elif name in _PRIVATE and isinstance(value, Path):
            yield value


def _others_read(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False
