"""From a written pack to a signed one: windows.json, manifest.json and manifest.sig beside its files.

The windows enclosed are those near the period and the first and last of every series; where the values are not the
same from these to the last bit, all windows of the city are enclosed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from adapters.store import Store
from kpi_derivation.catalogue import DERIVATIONS, reads
from registry.city import City
from registry.version import version
from reporting.evidence import canonical
from reporting.evidence.enclosed import SCHEMA as WINDOWS_SCHEMA
from reporting.evidence.enclosed import Enclosure, groups_of, roots_of
from reporting.evidence.keys import private_key, public_of
from reporting.evidence.manifest import (
    MANIFEST,
    SCHEMA,
    SIGNATURE,
    WINDOWS,
    Manifest,
    bits_of,
    file_of,
    values_of,
    values_root,
)
from reporting.evidence.recomputed import periods_of, recomputed, settled
from reporting.figures.reported import is_reported
from telemetry.errors import CityVitalsError, UsageError
from telemetry.kpi_value import KpiQuery, KpiValue, StoredKpi
from telemetry.partials import Partials
from telemetry.periods import Period
from telemetry.quantities import DERIVED_FROM
from telemetry.series import SeriesTable
from telemetry.windows import DAY

_BEFORE, _AFTER = 40 * DAY, 8 * DAY
_ALWAYS, _NEVER = -(1 << 53), 1 << 53


def sign(store: Store, city: City, period: Period, folder: Path, key: Path, now: int) -> list[Path]:
    """Enclose windows in the pack in `folder` and sign it; returns the new files' paths. `now`: ms UTC.

    Raises UsageError for the key, CityVitalsError where a stored value is not what the stored windows give.
    """
    private = private_key(key)
    record = store.city(city.id)
    if record is None:
        raise UsageError(f"The store contains no city '{city.id}'.")
    as_of, periods = settled(city, period, now), periods_of(city, period)
    stored = [v for p in periods for v in store.kpis(KpiQuery.of_period(city.id, p)) if not is_reported(v.kpi)]
    windows, table, values = _enclosed(store, city, period, periods, as_of, stored)
    groups = groups_of(windows, table, city.zone)
    plain = city.model_dump(mode="json", exclude_defaults=True)
    enclosure = canonical.encode(Enclosure(schema=WINDOWS_SCHEMA, city=plain, width=record.width, groups=groups))
    (folder / WINDOWS).write_bytes(enclosure)
    entries = values_of(values, {(s.kpi.code, s.kpi.part, s.kpi.period): s.kpi.revision for s in stored})
    names = sorted(p.name for p in folder.iterdir() if p.name not in (MANIFEST, SIGNATURE))
    manifest = canonical.encode(
        Manifest(
            schema=SCHEMA, software=f"cityvitals {version()}", city=city.id, period=period.label, as_of=as_of,
            public_key=public_of(private).hex(), files=[file_of(n, (folder / n).read_bytes()) for n in names],
            windows=roots_of(groups, record.width), values=entries, values_root=values_root(entries),
        )
    )  # fmt: skip
    (folder / MANIFEST).write_bytes(manifest)
    (folder / SIGNATURE).write_bytes(private.sign(manifest))
    return [folder / name for name in (WINDOWS, MANIFEST, SIGNATURE)]


def _enclosed(
    store: Store, city: City, period: Period, periods: Sequence[Period], as_of: int, stored: Sequence[StoredKpi]
) -> tuple[Partials, SeriesTable, list[KpiValue]]:
    """The windows to enclose and the values they give. Raises CityVitalsError where no windows give the stored ones."""
    different: list[str] = []
    for start, end in ((period.start - _BEFORE, period.end + _AFTER), (_ALWAYS, _NEVER)):
        table = SeriesTable()
        windows = _near(store, city, start, end, table)
        values = recomputed(city, windows, table, periods, as_of)
        different = differing([s.kpi for s in stored], values)
        if not different:
            return windows, table, values
    kept = store.kept(city.id, "window")
    if kept and period.start - _BEFORE < kept.start:
        raise CityVitalsError(
            f"{different[0]}. {len(different)} stored values cannot be derived again from windows: {kept.sentence()}."
            " Sign a period before its windows are deleted (store.keep_windows_days)."
        )
    raise CityVitalsError(
        f"{different[0]}. {len(different)} stored values are not what the stored windows give; run `cityvitals kpi"
        " backfill` with the city file, then sign."
    )


def differing(stored: Sequence[KpiValue], values: Sequence[KpiValue]) -> list[str]:
    """A sentence for each stored value that is not among `values` to the last bit."""
    given = {(v.code, v.part, v.period): v for v in values}
    found = []
    for old in stored:
        new = given.get((old.code, old.part, old.period))
        if old.code in DERIVATIONS and (new is None or bits_of(new.value) != bits_of(old.value)):
            now = "nothing" if new is None else repr(new.value)
            found.append(f"{old.code} {old.part} {old.period}: stored {old.value!r}, the windows give {now}")
    return found


def _near(store: Store, city: City, start: int, end: int, table: SeriesTable) -> Partials:
    """Windows of [start, end), and of every series the first and last, and the nearest outside that time range."""
    devices = {d.id for d in city.device}
    wanted = {q for code in DERIVATIONS for q in reads(code).quantities}
    wanted |= {source for target, sources in DERIVED_FROM.items() if target in wanted for source in sources}
    inside: list[Partials] = []
    edges: dict[tuple[int, str], Partials] = {}
    for part in store.partials(city.id, "window", _ALWAYS, _NEVER, table):
        known = [i for i, s in enumerate(table.all) if s.device in devices and s.quantity in wanted]
        mine = part.take(np.isin(part.series, known))
        inside.append(mine.take((mine.start >= start) & (mine.start < end)))
        _note_edges(edges, mine, start, end)
    return Partials.concat([*inside, *edges.values()]).latest()


def _note_edges(edges: dict[tuple[int, str], Partials], chunk: Partials, start: int, end: int) -> None:
    """`chunk`: sorted by (series, start), after all chunks before it in time."""
    for number in np.unique(chunk.series).tolist():
        mine = chunk.take(chunk.series == number)
        before, after = mine.take(mine.start < start), mine.take(mine.start >= end)
        edges.setdefault((number, "first"), mine.take(slice(0, 1)))
        edges[number, "last"] = mine.take(slice(-1, None))
        if len(before):
            edges[number, "before"] = before.take(slice(-1, None))
        if len(after):
            edges.setdefault((number, "after"), after.take(slice(0, 1)))
