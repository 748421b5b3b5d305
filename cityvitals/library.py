"""The Python library: the data of a store as tables, for notebooks and scripts. It only reads.

import cityvitals
city = cityvitals.open("sqlite:///city.db").city("aberdeen")
city.kpis(period="2018")
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from adapters.sqlite.buffer import Buffer
from adapters.store import Level, Store
from cityvitals.clock import now_ms
from cityvitals.past_store import existing_store
from cityvitals.table import Table, times
from registry.city import City
from reporting.proof.explain import explain
from reporting.show import stored_city, values, wanted_codes
from telemetry.errors import UsageError, nearest
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.partials import Partials
from telemetry.periods import PeriodKind, parse_period
from telemetry.quantities import QUANTITIES
from telemetry.series import Series, SeriesTable

_KPI = (
    "code", "part", "period", "kind", "value", "unit", "coverage", "status", "n_devices", "revision", "method", "notes",
    "reason",
)  # fmt: skip
_WINDOW = ("n", "mean", "min", "max", "sum", "first", "last", "increase", "flagged")


def open_store(url: str) -> Library:
    """Open a store for reading: `sqlite:///city.db` or `influxdb://host:8086/database`. Raises UsageError."""
    return Library(existing_store(url), _file_of(url))


def _file_of(url: str) -> Path | None:
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


class Library:
    """An open store; also a context manager."""

    def __init__(self, store: Store, file: Path | None) -> None:
        self.store, self.file = store, file

    def cities(self) -> list[str]:
        """The ids of all cities."""
        return [record.id for record in self.store.cities()]

    def city(self, city_id: str) -> CityData:
        """The data of one city. Raises UsageError naming the nearest id."""
        return CityData(self, stored_city(self.store, city_id))

    def close(self) -> None:
        """Close files and connections."""
        self.store.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class CityData:
    """One city of a store. `definition`: its city file."""

    def __init__(self, library: Library, definition: City) -> None:
        self._library, self.definition = library, definition

    @property
    def id(self) -> str:
        """The city's id."""
        return self.definition.id

    def kpis(
        self,
        period: str = "",
        codes: Sequence[str] = (),
        kind: PeriodKind | None = None,
    ) -> Table:
        """KPI values of a period (`2018`, `2018-07`, `24h`, ...), or all stored ones of a kind of period.

        With a period, missing values are rows too, with NaN and the reason. Raises UsageError.
        """
        if period:
            return _kpi_table(values(self._library.store, self.id, period, codes, now_ms()))
        query = KpiQuery(self.id, [kind] if kind else None, wanted_codes(codes) if codes else None)
        return _kpi_table([row.kpi for row in self._library.store.kpis(query)])

    def windows(self, device: str, quantity: str, start: str = "", end: str = "", *, level: Level = "window") -> Table:
        """Window partials of one series; `start` and `end`: periods such as 2018-07 or 2018-07-01, both included.

        Columns: time, n, mean, min, max, sum, first, last, increase, flagged. `level`: "window" or "hour".
        """
        first, last = self._range(start, end, level)
        table = SeriesTable()
        series = np.array([table.id_of(self._series(device, quantity))])
        parts = self._library.store.partials(self.id, level, first, last, table, series)
        found = Partials.concat(list(parts))
        return Table({"time": times(found.start), **{name: getattr(found, name) for name in _WINDOW}})

    def readings(self, device: str, quantity: str, start: str = "", end: str = "", buffer: Path | None = None) -> Table:
        """Raw readings of one series: time, value, flag. They are in the gateway's buffer, or in the file of a replay.

        `buffer`: that file; default: the store's own. Raises UsageError where it does not exist.
        """
        path = buffer or self._library.file
        if path is None or not path.is_file():
            raise UsageError("Raw readings are in the gateway's buffer; name its file: readings(..., buffer=Path).")
        first, last = self._range(start, end, "window")
        opened = Buffer(path, None)
        try:
            found = opened.series_readings(self._series(device, quantity), first, last)
        finally:
            opened.close()
        return Table({"time": times(found.t), "value": found.value, "flag": found.flag})

    def explain(self, code: str, period: str, part: str = "") -> str:
        """The provenance of a KPI value as text, down to its devices. Raises UsageError."""
        return explain(self._library.store, self.id, code, part, period, "text", now_ms())

    def _series(self, device: str, quantity: str) -> Series:
        registered = {d.id: d for d in self.definition.device}
        if device not in registered:
            raise UsageError(f"There is no device '{device}' in {self.id}; {nearest(device, registered)}")
        if quantity not in QUANTITIES:
            raise UsageError(f"unknown quantity '{quantity}'; {nearest(quantity, QUANTITIES)}")
        return Series(self.id, device, quantity)

    def _range(self, start: str, end: str, level: Level) -> tuple[int, int]:
        """UTC ms, the end exclusive; without limits the whole time with data."""
        zone = self.definition.zone
        span = self._library.store.span(self.id, level) or (0, -1)
        first = parse_period(start, zone).start if start else span[0]
        last = parse_period(end or start, zone).end if start or end else span[1] + 1
        return first, last


def _kpi_table(rows: Sequence[KpiValue]) -> Table:
    table = Table.of_rows(_KPI, ([getattr(row, name) for name in _KPI] for row in rows))
    limits = {"start": times([row.start for row in rows]), "end": times([row.end for row in rows])}
    return Table({**limits, **table})
