"""How fast the stores write and read partials: points a second, as a table.

    python -m tools.bench_stores [ROWS] [DEVICES]

Every store starts empty; servers are started for the run on free ports and stopped after it. Of InfluxDB also the share
of its own limit: the same requests are sent prepared, in turn, over a bare connection.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

from adapters.influx.store import InfluxStore
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


def share(server: InfluxDB, partials: Partials, table: SeriesTable, at_once: int = 20_000) -> str:
    """Writes in turn with prepared requests of the same lines: medians of both, and processor time of this program."""
    target = f"influxdb://{server.host}:{server.port}"
    store, bare = InfluxStore.from_url(f"{target}/ours"), InfluxStore.from_url(f"{target}/bare")
    http, bodies = HTTPConnection(server.host, server.port), list[str]()
    store.cities()
    bare.cities()
    send = store._connection.write
    ours, prepared, used = list[float](), list[float](), 0.0

    def note(lines: str, policy: str = "") -> None:  # noqa: ARG001 - as `write`
        bodies.append(lines)

    def post() -> None:
        for body in bodies:
            http.request("POST", "/write?db=bare&precision=ms", body.encode())
            http.getresponse().read()

    for row in range(0, len(partials), at_once):
        part = partials.take(slice(row, row + at_once))
        bodies.clear()
        store._connection.write = note  # type: ignore[method-assign]
        store.put_partials("window", part, table)
        store._connection.write = send  # type: ignore[method-assign]
        began = time.process_time()
        ours.append(timed(lambda part=part: store.put_partials("window", part, table))[0])  # type: ignore[misc]
        used += time.process_time() - began
        prepared.append(timed(post)[0])
    of_limit, each = np.median(prepared) / np.median(ours), 1e6 * used / len(partials)
    return f"InfluxDB: {of_limit:.2f} of what it takes of prepared requests; this program needs {each:.1f} us a row"


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
            of_limit = share(server, partials, table)
        with VictoriaMetrics(folder / "victoria") as server:
            url = f"influxdb2://{server.host}:{server.port}/bench?org=bench"
            measure("VictoriaMetrics", url, partials, table, out, reads=False)
    Console().print(out, of_limit, sep="\n")


if __name__ == "__main__":
    main()
