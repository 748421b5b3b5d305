"""`cityvitals backup` and `restore`: the gateway's buffer and the embedded store, copied while they are used.

A copy gets its name only when it is whole and checked, and is as private as what it was copied from.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from adapters.sqlite.copy import copy
from cityvitals.recover import only_one
from registry import secret_files
from telemetry.errors import CityVitalsError, UsageError

# Every connection of ours holds a shared lock on these bytes of the file while it is open (sqlite3.c, unixLock).
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510


def backup(source: Path, target: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
    """Copy `source` to `target`, where an older copy may be; bytes copied. Raises CityVitalsError, UsageError."""
    _check_source(source)
    _check_target(source, target)
    if target.exists() and (in_use(target) or _beside(target, "-wal").exists()):
        raise UsageError(f"{target} is a database in use. Name a new file; `cityvitals restore` puts a copy back.")
    with _draft(target, ".part") as draft:
        _copy(source, draft, progress)
        draft.replace(target)
    return target.stat().st_size


def restore(source: Path, target: Path) -> tuple[int, Path | None]:
    """Put a backup in the place of `target`, which is not in use; bytes restored, where the file of before is now."""
    _check_source(source)
    with only_one(target):
        _check_target(source, target)
        if in_use(target):
            raise CityVitalsError(f"Another process uses {target}. Stop gateway, ingest and API first, then restore.")
        with _draft(target, ".restored") as draft:
            _copy(source, draft, lambda _done, _all: None)
            secret_files.as_of(draft, target if target.exists() else target.parent)
            kept = _put_away(target)
            draft.replace(target)
        return target.stat().st_size, kept


def in_use(path: Path) -> bool:
    """Whether another process has a SQLite file open."""
    if sys.platform == "win32" or not path.is_file():  # where there is no such lock, nobody is stopped
        return False
    import fcntl  # noqa: PLC0415

    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
        except (BlockingIOError, PermissionError):
            return True
    return False


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _check_source(source: Path) -> None:
    if not source.is_file():
        raise UsageError(f"There is no file {source}.")
    if not source.stat().st_size:
        raise CityVitalsError(f"{source} is empty: it holds no database. Take another copy.")


def _check_target(source: Path, target: Path) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name the file in it, for example {target / source.name}.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}; make it first.")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{source} and {target} are the same file; name another.")


@contextmanager
def _draft(target: Path, suffix: str) -> Iterator[Path]:
    """A private file beside `target` that is gone afterwards unless it was renamed."""
    draft = _beside(target, suffix)
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    try:
        yield draft
    finally:
        for end in ("", "-journal"):
            _beside(draft, end).unlink(missing_ok=True)


def _copy(source: Path, draft: Path, progress: Callable[[int, int], None]) -> None:
    copy(source, draft, progress)
    draft.chmod(source.stat().st_mode & 0o777)


def _put_away(target: Path) -> Path | None:
    """Rename what is there, with what belongs to it, to a name that nothing has."""
    parts = [suffix for suffix in ("", "-wal", "-shm") if _beside(target, suffix).exists()]
    names = (f".before-restore{f'-{n}' if n > 1 else ''}" for n in count(1))
    kept = next(path for path in (_beside(target, name) for name in names) if not path.exists())
    for suffix in parts:
        _beside(target, suffix).replace(_beside(kept, suffix))
    return kept if parts else None
