"""Files that hold secrets: written so that only their owner may read them, and passwords read from them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from telemetry.errors import UsageError, cause


def write(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 beside the old one, then rename it: a full disk or a power cut leaves the old or the
    new.
    """
    temporary = path.with_name(f"{path.name}.new")
    temporary.unlink(missing_ok=True)  # one that a killed program left may have another mode
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.replace(path)


def read_secret(path: Path, what: str) -> str:
    """The text of a file without blanks and line ends around it. Raises UsageError: `what` cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {cause(error)}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{what} cannot be read: {path} is not UTF-8 text; save it as UTF-8.") from None


def as_of(path: Path, like: Path) -> None:
    """Give a file the owner of `like`, and its mode where that is a file, so that a service can use root's files."""
    status = like.stat()
    if sys.platform != "win32" and os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid)
    if like.is_file():
        path.chmod(status.st_mode & 0o777)
