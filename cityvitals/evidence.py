"""The work of `cityvitals verify`: check a pack, and fold files of readings for the comparison."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from adapters.stores import open_store
from cityvitals.replay import replay
from reporting.evidence.checking import Pack, as_text, check, compare_readings
from reporting.evidence.keys import expected_fingerprint
from telemetry.errors import UsageError
from telemetry.partials import Partials
from telemetry.series import SeriesTable


def verify_command(folder: Path, key: str, readings: list[Path]) -> bool:
    """Print the result; True where everything agrees. Raises UsageError."""
    for path in readings:
        if not path.is_file():
            raise UsageError(f"There is no file {path}.")
    expected = expected_fingerprint(key) if key else None
    result, pack = check(folder, expected)
    if pack and readings:
        windows, table = _folded(pack, readings)
        compare_readings(pack, windows, table, result)
    sys.stdout.write(as_text(result))
    if not key:
        sys.stdout.write("note       the key was not checked; compare it with the signer's and give it as --key\n")
    return not result.wrong


def _quiet(name: str, done: int, total: int | None = None) -> None:
    """No progress is shown."""


def _folded(pack: Pack, readings: list[Path]) -> tuple[Partials, SeriesTable]:
    """The windows of files of readings, by the code of `replay`, in a store that is deleted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/readings.db"
        store = open_store(url)
        work = replay.Replay(pack.city, store, replay.buffer_path(url, pack.city.id), pack.enclosure.width)
        replay.run(work, readings, None, _quiet)
        table = SeriesTable()
        windows = Partials.concat(list(store.partials(pack.city.id, "window", -(1 << 53), 1 << 53, table))).latest()
        store.close()
    return windows, table
