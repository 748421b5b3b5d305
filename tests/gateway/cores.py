"""A gateway core on a file of its own, and what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming, Source
from gateway.decoding.decoded import SourceOptions
from gateway.formats import is_mapped, names
from telemetry.partials import Partials
from telemetry.windows import MINUTE

ARRIVAL = 1_709_294_400_000  # 2024-03-01T12:00:00Z
KEYED = SourceOptions(secret=b"the operator's key")  # what is refused is kept encrypted, and can be replayed whole
SENML = Source("cv/1/{city}/{device}/data", "senml", options=KEYED)
# A source and a topic of every other format that decodes without a mapping, by its name.
OTHERS = {
    name: Source(f"{name}/{{device}}", name, city="aba", options=KEYED)
    for name in names()
    if name != "senml" and not is_mapped(name)
}
TOPIC = {"senml": "cv/1/aba/s1/data", **{name: f"{name}/s1" for name in OTHERS}}


def make(folder: Path, **options: Any) -> Core:
    return Core(Buffer(folder / "gateway.db", MINUTE), [SENML, *OTHERS.values()], **options)


def pack(value: float, seconds_ago: float = 0, name: str = "no2", device: str = "s1", **rest: Any) -> Incoming:
    """One reading in a SenML message."""
    t = ARRIVAL / 1000 - seconds_ago
    return Incoming(f"cv/1/aba/{device}/data", b'[{"n":"%s","v":%r,"t":%r}]' % (name.encode(), value, t), **rest)


def readings(core: Core, flagged: bool = False) -> list[list[Any]]:
    """[quantity, value, seconds before ARRIVAL] of accepted (or flagged) readings, as they were taken."""
    sql = "SELECT series, value, t FROM every_reading WHERE (flag != 0) = ? ORDER BY t, series"
    rows = core.buffer.db.execute(sql, (flagged,)).fetchall()
    return [[core.buffer.table[s].quantity, value, (ARRIVAL - t) / 1000] for s, value, t in rows]


def windows(core: Core, found: Partials) -> dict[tuple[str, int], tuple[int, float]]:
    """(device, minutes before ARRIVAL) -> (n, sum)."""
    columns = zip(*(c.tolist() for c in (found.series, found.start, found.n, found.sum)), strict=True)
    return {(core.buffer.table[s].device, (ARRIVAL - start) // MINUTE): (n, total) for s, start, n, total in columns}


def reasons(core: Core) -> list[str]:
    return [r.reason for r in core.buffer.rejects.newest()]
