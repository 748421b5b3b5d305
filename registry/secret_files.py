"""Files that hold secrets: written so that only their owner may read them, and passwords read from them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from telemetry.errors import UsageError


def write(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, beside and then renamed: a full disk or a loss of power leaves the old or the new."""
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)  # one that was left by a program that died may have another mode
    aside.touch(mode=0o600)
    aside.write_bytes(content)
    aside.replace(path)


def read_secret(path: Path, what: str) -> str:
    """The text of a file without blanks and line ends around it. Raises UsageError: `what` cannot be read."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"{what} cannot be read: {error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{what} cannot be read: {path} is no text in UTF-8; write it anew as such.") from None


def as_of(path: Path, like: Path) -> None:
    """Give a file the owner of `like`, and its mode where that is a file: a service shall use what root puts there."""
    there = like.stat()
    if sys.platform != "win32" and os.geteuid() == 0:
        os.chown(path, there.st_uid, there.st_gid)
    if like.is_file():
        path.chmod(there.st_mode & 0o777)
