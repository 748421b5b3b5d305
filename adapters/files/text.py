"""Recorded files as text: gzip or not, UTF-8 with or without a byte order mark, UTF-16, Windows-1252."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from telemetry.errors import UsageError, cause

_PROBE = 4 << 20
LARGEST = 1 << 30  # of a file that is read as a whole


class Reader:
    """An open file, and how much of it (as it is on disk) was read since the last call."""

    def __init__(self, raw: IO[bytes], text: io.TextIOBase) -> None:
        self._raw, self.text, self._seen = raw, text, 0

    def progress(self) -> int:
        """Bytes read since the last call."""
        now = self._raw.seek(0, 1)
        read, self._seen = now - self._seen, now
        return read


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """Open a text file. Raises UsageError for one that is missing or broken, also while it is read."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            encoding = _encoding(_plain(raw, packed).read(_PROBE))
            raw.seek(0)
            plain = _plain(raw, packed)
            yield Reader(raw, io.TextIOWrapper(plain, encoding=encoding))
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: it is not a text file.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}.") from None


def _plain(raw: IO[bytes], packed: bool) -> IO[bytes]:
    """The file's bytes, unpacked while they are read from `raw`."""
    return gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[return-value]


def start(path: Path, size: int = 65536) -> bytes:
    """The first bytes of a file, unpacked. Raises UsageError."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            return _plain(raw, packed).read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}.") from None


def whole(path: Path) -> bytes:
    """All bytes of a file, unpacked. Raises UsageError for one of over LARGEST bytes."""
    found = start(path, LARGEST + 1)
    if len(found) > LARGEST:
        raise UsageError(f"{path} has more than {LARGEST >> 20} MiB; split it.")
    return found


def _encoding(first: bytes) -> str:
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        first[: first.rfind(b"\n") + 1 or None].decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"
