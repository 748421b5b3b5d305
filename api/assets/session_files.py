"""Recorded charging sessions that a server has for its cities: `<city>.csv` or `<city>.csv.gz` in a folder."""

from __future__ import annotations

import gzip
from pathlib import Path

from planning.charging.session_rows import read_text
from planning.charging.sessions import Sessions
from telemetry.errors import Unavailable, cause


def sessions_of(folder: Path | None, city: str) -> tuple[Sessions, list[str]] | None:
    """The sessions and a sentence for each row left out; None where the server has no file for the city.

    Raises UsageError for a file without sessions, Unavailable for one that cannot be read.
    """
    if folder is None:
        return None
    for path in (folder / f"{city}.csv", folder / f"{city}.csv.gz"):
        if path.is_file():
            return read_text(path.name, _text(path))
    return None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Unavailable(f"The server cannot read the sessions in {path.name}: {cause(error)}.") from None
