"""How long ingest takes to start, by years of stored hours: `python -m tests.bench.history`.

    from hours   the days are folded from all stored hours, as without a checkpoint
    checkpoint   the engine's state is read

The large city's state is one of 32 folded days that is repeated over the years: folding 10,000 series of five years for
a benchmark takes an hour. What is read, checked and laid out is the same.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from adapters.sqlite.store import SqliteStore
from adapters.states import States
from adapters.stores import open_store
from ingest.checkpoints import Checkpoints
from ingest.core import Ingest
from kpi_derivation.engine.runner import Engine
from telemetry.windows import DAY, HOUR, MINUTE
from tests.bench.engine import START, Made, city, hourly
from tests.servers import InfluxDB

_FOLDED = 32  # days
YEAR = 365 * DAY


def cpu(run: Callable[[], Any]) -> float:
    """Processor seconds of a call."""
    began = time.process_time()
    run()
    return time.process_time() - began


def small(folder: Path, years: int, series: int) -> dict[str, Any]:
    """A city whose hours are in a SQLite store: the same start without and with a checkpoint."""
    model, table = city(series // 2, series - series // 2)
    path, end = folder / f"{years}.db", START + years * YEAR
    store = SqliteStore(path)
    for start in range(START, end, 73 * DAY):
        store.put_partials("hour", hourly(np.arange(series), start, min(start + 73 * DAY, end)), table)
    store.put_partials("window", hourly(np.arange(series), end - HOUR, end), table)
    store.close()

    def served() -> Ingest:
        ingest = Ingest(SqliteStore(path))
        ingest.add_city(model, MINUTE)
        return ingest

    hours = cpu(served)
    first = served()
    first.derive(end)  # windows of the newest hour are folded
    saved = cpu(first.checkpoint)
    first.store.close()
    row = {"what": f"{series} series, {years} years", "from hours, s": hours}
    return row | {"checkpoint, s": cpu(served), "save, s": saved}


def large(folder: Path, years: int, stations: int, meters: int) -> dict[str, Any]:
    """A city's state in a SQLite store: to save it, and to continue from it."""
    store, path = SqliteStore(folder / f"large-{years}.db"), folder / f"large-{years}.db-wal"
    row = _state_only(store.states, years, stations, meters)
    store.close()
    return row | {"MB": path.with_suffix(".db").stat().st_size >> 20}


def large_influx(folder: Path, years: int, stations: int, meters: int) -> dict[str, Any]:
    """The same in InfluxDB, with the processor time of the server."""
    (folder := folder / f"influx-{years}").mkdir()
    with InfluxDB(folder) as server:
        store = open_store(f"influxdb://{server.host}:{server.port}/city")
        assert store.states is not None
        row = _state_only(store.states, years, stations, meters)
        used = psutil.Process(server.pid).cpu_times()
        store.close()
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return row | {"server, both, s": used.user + used.system, "MB": size >> 20}


def _state_only(states: States, years: int, stations: int, meters: int) -> dict[str, Any]:
    made, (model, table) = Made(stations + meters, _FOLDED), city(stations, meters)
    hours = START, made.end - HOUR
    saved = cpu(lambda: _saved(Engine(model, table, made), hours, years, Checkpoints(states, model)))
    again, checkpoint = Engine(model, table, made), Checkpoints(states, model)
    began = time.perf_counter()
    took = cpu(lambda: checkpoint.resume(again, hours, hours[1]))
    wall = time.perf_counter() - began
    assert checkpoint.restored
    row = {"what": f"{stations + meters} series, {years} years, state only", "checkpoint, s": took, "wall, s": wall}
    return row | {"fold 32 days and save, s": saved, "memory, MB": again.state_bytes() >> 20}


def _saved(engine: Engine, hours: tuple[int, int], years: int, checkpoint: Checkpoints) -> None:
    engine.restore(hours, hours[1])
    repeat(engine, -(-years * 365 // _FOLDED))
    checkpoint.save(engine)


def repeat(engine: Engine, times: int) -> None:
    """Let the folded days stand in the years before, too."""
    state = engine.state()
    assert state is not None
    for grid in state.grids.values():
        if grid.columns:
            whole = grid.shape[1] * times
            grid.columns.update({name: np.tile(column, times) for name, column in grid.columns.items()})
            grid.origin, grid.shape = grid.origin - whole + grid.shape[1], (grid.shape[0], whole)


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, nargs="+", default=[1, 2, 5])
    parser.add_argument("--series", type=int, default=50)
    parser.add_argument("--large", type=int, default=10_000)
    parser.add_argument("--influxdb", action="store_true", help="the large city's state in InfluxDB too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for years in given.years:
            print(small(Path(name), years, given.series), flush=True)
        for years in given.years if given.large else ():
            for run in (large, large_influx)[: 1 + given.influxdb]:
                print(run(Path(name), years, given.large // 20, given.large - given.large // 20), flush=True)


if __name__ == "__main__":
    main()
