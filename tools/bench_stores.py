"""How fast the stores write and read partials: points a second, as a table.

    python -m tools.bench_stores [ROWS] [DEVICES]

Every store starts empty; servers are started for the run on free ports and stopped after it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from adapters.store import Store
from adapters.stores import open_store
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from tests.servers import InfluxDB, VictoriaMetrics

CITY, START = "bench", 1_514_764_800_000
T = TypeVar("T")


def sample(rows: int, devices: int, table: SeriesTable) -> Partials:
    """Minute partials of one quantity of this many devices, in the order of time as a live city sends them."""
    ids = [table.id_of(Series(CITY, f"d{i}", "pm2_5")) for i in range(devices)]
    minute, device = np.divmod(np.arange(rows), devices)
    times = START + minute * MINUTE + 7_000
    values = np.random.default_rng(1).gamma(2.0, 6.0, rows).round(1)
    readings = Readings.of(np.array(ids)[device], times, values, arrival=times + 250)
    partials = fold(readings, MINUTE, table.modulus(readings.series))
    return partials.take(np.argsort(partials.start, kind="stable"))


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds and result."""
    begin = time.perf_counter()
    result = act()
    return time.perf_counter() - begin, result


def write(store: Store, partials: Partials, table: SeriesTable) -> None:
    """As ingest does: in batches of 5,000."""
    for row in range(0, len(partials), 5_000):
        store.put_partials("window", partials.take(slice(row, row + 5_000)), table)


def read(store: Store, series: int | None = None) -> int:
    """Rows of all chunks, or of one series, into a fresh table."""
    table = SeriesTable()
    only = None if series is None else np.array([table.id_of(Series(CITY, f"d{series}", "pm2_5"))])
    return sum(len(p) for p in store.partials(CITY, "window", START, START + 10**12, table, only))


def measure(name: str, url: str, partials: Partials, table: SeriesTable, out: Table, reads: bool = True) -> None:
    """One row of the table."""
    store, rows = open_store(url), len(partials)
    first, _ = timed(lambda: write(store, partials, table))
    again, _ = timed(lambda: write(store, partials, table))
    columns = [name, f"{rows / first:,.0f}", f"{rows / again:,.0f}", "-", "-"]
    if reads:
        seconds, count = timed(lambda: read(store))
        if count != rows:
            raise SystemExit(f"{name} returned {count} of {rows} rows.")
        alone, some = timed(lambda: read(store, series=0))
        columns[3:] = [f"{rows / seconds:,.0f}", f"{some:,} rows in {alone * 1000:.0f} ms"]
    out.add_row(*columns)
    store.close()


def main() -> None:
    """Measure all stores and print the table."""
    rows, devices = (int(x) for x in [*sys.argv[1:], "200000", "200"][:2])
    table = SeriesTable()
    partials = sample(rows, devices, table)
    out = Table("store", "write", "write again", "read", "one series", title=f"{rows:,} partials, {devices:,} series")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        measure("SQLite", f"sqlite:///{folder}/bench.db", partials, table, out)
        with InfluxDB(folder / "influx") as server:
            measure("InfluxDB 1.x", f"influxdb://{server.host}:{server.port}/bench", partials, table, out)
        with VictoriaMetrics(folder / "victoria") as server:
            url = f"influxdb2://{server.host}:{server.port}/bench?org=bench"
            measure("VictoriaMetrics", url, partials, table, out, reads=False)
    Console().print(out)


if __name__ == "__main__":
    main()
