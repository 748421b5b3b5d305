"""`cityvitals backup` and `restore`: the gateway's buffer and the embedded store, copied while they are used.

A copy gets its name only when it is whole and checked.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from adapters.sqlite_copy import copy
from cityvitals.recover import only_one
from telemetry.errors import UsageError


def backup(source: Path, target: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
    """Copy `source` to `target`, which may be there already; bytes copied."""
    if not source.is_file():
        raise UsageError(f"There is no file {source}.")
    draft = target.with_name(f"{target.name}.part")
    draft.unlink(missing_ok=True)
    copy(source, draft, progress)
    draft.replace(target)
    return target.stat().st_size


def restore(source: Path, target: Path) -> int:
    """Put a backup in the place of `target`, whose file is kept beside it; bytes restored. `target` is not in use."""
    with only_one(target):
        draft = target.with_name(f"{target.name}.restored")
        size = backup(source, draft)
        for suffix in ("", "-wal", "-shm"):
            part = target.with_name(target.name + suffix)
            if part.exists():
                part.replace(target.with_name(f"{target.name}.before-restore{suffix}"))
        draft.replace(target)
        return size
