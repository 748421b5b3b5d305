"""How fast the stores write and read partials: points a second, as a table.

    python -m tools.bench_stores [ROWS] [DEVICES]

Every store starts empty; servers are started for the run on free ports and stopped after it. Of InfluxDB also the share
of its own limit: the same requests are sent prepared, in turn, over one bare connection and over two.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from itertools import permutations
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
    """Puts in turn with prepared requests of the same lines over one connection and over two: medians of each."""
    store = InfluxStore.from_url(f"influxdb://{server.host}:{server.port}/share")
    links = [HTTPConnection(server.host, server.port) for _ in range(2)]
    seconds: dict[str, list[float]] = {"put": [], "one": [], "two": []}
    used, orders = 0.0, list(permutations(seconds))  # the server goes on working after it has answered
    for number, row in enumerate(range(0, len(partials), at_once)):
        part = partials.take(slice(row, row + at_once))
        bodies = requests_of(store, part, table)
        acts: dict[str, Callable[[], None]] = {
            "put": partial(store.put_partials, "window", part, table),
            "one": partial(post, links[:1], "share", bodies),
            "two": partial(post, links, "share", bodies),
        }
        for name in orders[number % len(orders)]:
            began = time.process_time()
            seconds[name].append(timed(acts[name])[0])
            used += (time.process_time() - began) * (name == "put")
    ours, *prepared = (at_once / float(np.median(taken)) for taken in seconds.values())
    return (
        f"InfluxDB: {ours:,.0f} rows a second, {ours / max(prepared):.2f} of the better of prepared requests over one "
        f"connection ({prepared[0]:,.0f}) and two ({prepared[1]:,.0f}); {1e6 * used / len(partials):.2f} us a row here"
    )


def requests_of(store: InfluxStore, partials: Partials, table: SeriesTable) -> list[bytes]:
    """The bodies of the requests of a put, which is not made."""
    bodies = list[bytes]()
    send = store._connection.write

    def note(lines: str | bytes, policy: str = "") -> None:  # noqa: ARG001 - as `write`
        bodies.append(lines if isinstance(lines, bytes) else lines.encode())

    store._connection.write = note  # type: ignore[method-assign]
    store.put_partials("window", partials, table)
    store._connection.write = send  # type: ignore[method-assign]
    return bodies


def post(links: list[HTTPConnection], database: str, bodies: list[bytes]) -> None:
    """Post the bodies, one after another over each connection."""
    waiting = iter(bodies)

    def work(link: HTTPConnection) -> None:
        for body in waiting:
            link.request("POST", f"/write?db={database}&precision=ms", body)
            answer = link.getresponse()
            answer.read()
            if answer.status != 204:
                raise SystemExit(f"InfluxDB answered {answer.status}.")

    if len(links) == 1:
        work(links[0])
    else:
        with ThreadPoolExecutor(len(links)) as threads:
            list(threads.map(work, links))


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
