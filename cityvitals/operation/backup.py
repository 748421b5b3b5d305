"""`cityvitals backup` and `restore`: copies of the gateway's buffer and the embedded store while they are in use.

A copy gets its name only when it is complete and checked, with the owner and mode of the original.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from adapters.sqlite.copy import copy
from cityvitals.operation.recover import only_one
from registry import secret_files
from telemetry.errors import CityVitalsError, UsageError

# Every open connection holds a shared lock on these bytes of the file (sqlite3.c, unixLock).
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510


def backup(source: Path, target: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
    """Copy `source` to `target`, which may be an older copy; bytes copied. Raises CityVitalsError, UsageError."""
    _check_source(source)
    _check_target(source, target)
    if target.exists() and (in_use(target) or _beside(target, "-wal").exists()):
        raise UsageError(f"{target} is a database in use. Name a new file; use `cityvitals restore` to restore a copy.")
    with _temporary(target, ".part") as temporary:
        _copy(source, temporary, progress)
        temporary.replace(target)
    return target.stat().st_size


def restore(source: Path, target: Path) -> tuple[int, Path | None]:
    """Replace `target`, which must not be in use, by a backup; (bytes restored, new name of the previous file)."""
    _check_source(source)
    with only_one(target):
        _check_target(source, target)
        if in_use(target):
            raise CityVitalsError(f"Another process uses {target}. Stop gateway, ingest and API first, then restore.")
        with _temporary(target, ".restored") as temporary:
            _copy(source, temporary, lambda _done, _all: None)
            secret_files.as_of(temporary, target if target.exists() else target.parent)
            previous = _rename_existing(target)
            temporary.replace(target)
        return target.stat().st_size, previous


def in_use(path: Path) -> bool:
    """Whether another process has a SQLite file open."""
    if sys.platform == "win32" or not path.is_file():  # where the platform has no such lock, nothing is checked
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
        raise CityVitalsError(f"{source} is empty, so it is not a database. Use another copy.")


def _check_target(source: Path, target: Path) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it, for example {target / source.name}.")
    if not target.parent.is_dir():
        raise UsageError(f"There is no folder {target.parent}; create it first.")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{source} and {target} are the same file; name another one.")


@contextmanager
def _temporary(target: Path, suffix: str) -> Iterator[Path]:
    """A private temporary file beside `target`, deleted afterwards unless it was renamed."""
    temporary = _beside(target, suffix)
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    try:
        yield temporary
    finally:
        for end in ("", "-journal"):
            _beside(temporary, end).unlink(missing_ok=True)


def _copy(source: Path, temporary: Path, progress: Callable[[int, int], None]) -> None:
    copy(source, temporary, progress)
    temporary.chmod(source.stat().st_mode & 0o777)


def _rename_existing(target: Path) -> Path | None:
    """Rename the existing database and its WAL to an unused name."""
    parts = [suffix for suffix in ("", "-wal", "-shm") if _beside(target, suffix).exists()]
    names = (f".before-restore{f'-{n}' if n > 1 else ''}" for n in count(1))
    kept = next(path for path in (_beside(target, name) for name in names) if not path.exists())
    for suffix in parts:
        _beside(target, suffix).replace(_beside(kept, suffix))
    return kept if parts else None
