"""Replayed twice, shuffled, in halves with a restart between, or killed and repeated: the same bytes come out."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.files.recorded import read
from adapters.stores import open_store
from cityvitals.replay.replay import Replay, buffer_path
from registry.config import load_city
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.periods import CALENDAR
from telemetry.windows import BASE_WIDTH
from tests.processes import end, start, wait_for
from tests.replay import cli, recorded

LOW_COST = "aberdeen_sds011_2018-04-01_2018-04-03_file_order"
SENSORS = """
[city]
id = "sensors"
name = "Aberdeen"
country = "GB"
timezone = "Europe/London"
"""


def _sensors(folder: Path) -> Path:
    """A city of low-cost sensors alone, whose values the reference stations do not hide."""
    path = folder / "sensors.toml"
    devices = [f'[[device]]\nid = "sds011-{n}"\nkind = "air_lowcost"\nquantities = ["pm10", "pm2_5"]\n'
               for n in (5331, 7789, 8554, 8733)]  # fmt: skip
    path.write_text(SENSORS + "\n".join(devices))
    return path


def _city(name: str, folder: Path) -> Path:
    return _sensors(folder) if name == "sensors" else recorded.city(name)


def _winter_and_march(row: list[str]) -> bool:
    return row[0][:7] in ("2013-01", "2013-03") and row[1] < "MAC000012"


# city -> recorded file, which rows of it, a month and a day to compare beside the year
CUTS: dict[str, tuple[str, Callable[[list[str]], bool], str, str]] = {
    "aberdeen": (recorded.STATIONS, lambda r: r[0] < "2018-02", "2018-01", "2018-01-17"),
    "lcl": (recorded.METERS, _winter_and_march, "2013-03", "2013-03-31"),
    "trondheim": (recorded.TRONDHEIM, lambda r: r[0] < "2019-07", "2019-03", "2019-03-31"),
    "sensors": (LOW_COST, lambda _: True, "2018-04", "2018-04-02"),
}  # fmt: skip
cities = pytest.mark.parametrize("name", CUTS)


def outcome(name: str, store: str) -> tuple[list[str], list[KpiValue]]:
    """What `kpi show` prints for year, month and day, and every stored value but when it was stored."""
    _, _, month, day = CUTS[name]
    texts = [cli.show(name, store, period) for period in (day[:4], month, day)]
    return texts, [v.kpi for v in open_store(store).kpis(KpiQuery(name, kinds=CALENDAR))]


def database(folder: Path, name: str) -> str:
    return f"sqlite:///{folder}/{name}.db"


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[list[str]]]]:
    """Per city its city file and the rows of its cut, header first."""
    folder = tmp_path_factory.mktemp("cuts")
    return {name: (_city(name, folder), recorded.rows(cut[0], cut[1])) for name, cut in CUTS.items()}


class Once(NamedTuple):
    """A cut that was replayed once, in its order: its file, where it was replayed to, the summary, the outcome."""

    file: Path
    store: str
    summary: dict[str, float]
    outcome: tuple[list[str], list[KpiValue]]


Cuts = dict[str, tuple[Path, list[list[str]]]]
Plain = dict[str, Once]


@pytest.fixture(scope="module")
def plain(cuts: Cuts, tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """Each cut, replayed once."""
    folder, found = tmp_path_factory.mktemp("plain"), {}
    for name, (city, rows) in cuts.items():
        file, store = recorded.write(folder / f"{name}.csv", rows[0], rows[1:]), database(folder, name)
        summary = cli.replay(city, store, file, how=cli.here)
        found[name] = Once(file, store, summary, outcome(name, store))
        assert any(v.value is not None for v in found[name].outcome[1])
    return found


@cities
def test_replaying_twice_changes_nothing(name: str, cuts: Cuts, plain: Plain) -> None:
    first = plain[name]
    again = cli.replay(cuts[name][0], first.store, first.file, how=cli.here)
    assert (again["readings stored"], again["windows written"], again["KPI values changed"]) == (0, 0, 0)
    assert again["duplicates"] == first.summary["readings stored"]
    assert outcome(name, first.store) == first.outcome


@cities
@pytest.mark.parametrize("seed", [1, 2] if os.environ.get("CITYVITALS_LONG") else [1])
def test_the_order_of_rows_changes_nothing(name: str, seed: int, cuts: Cuts, plain: Plain, tmp_path: Path) -> None:
    city, (header, *rows) = cuts[name]
    shuffled = random.Random(seed).sample(rows, len(rows))
    store = database(tmp_path, name)
    cli.replay(city, store, recorded.write(tmp_path / "shuffled.csv", header, shuffled), how=cli.here)
    assert outcome(name, store) == plain[name].outcome


@cities
def test_two_halves_in_two_runs_change_nothing(name: str, cuts: Cuts, plain: Plain, tmp_path: Path) -> None:
    city, (header, *rows) = cuts[name]
    store, middle = database(tmp_path, name), len(rows) // 2
    # The later half first, so that the second run finds days, months and steps across the cut that it must change.
    for part, body in (("late", rows[middle:]), ("early", rows[:middle])):
        how = cli.run if name == "lcl" else cli.here  # one city in processes of their own, as an operator does it
        cli.replay(city, store, recorded.write(tmp_path / f"{part}.csv", header, body), how=how)
    assert outcome(name, store) == plain[name].outcome


@cities
def test_shuffled_quarters_in_four_runs_change_nothing(name: str, cuts: Cuts, plain: Plain, tmp_path: Path) -> None:
    city, (header, *rows) = cuts[name]
    store, shuffled = database(tmp_path, name), random.Random(3).sample(rows, len(rows))
    for part in range(4):
        file = recorded.write(tmp_path / f"{part}.csv", header, shuffled[part::4])
        cli.replay(city, store, file, how=cli.here)
    assert outcome(name, store) == plain[name].outcome


def test_a_replay_that_was_killed_is_made_good_by_the_next(cuts: Cuts, plain: Plain, tmp_path: Path) -> None:
    """Killed when the hours are stored and the last KPI value is not: nothing but the next run can derive it."""
    city, (header, *rows) = cuts["lcl"]
    file, store = recorded.write(tmp_path / "all.csv", header, rows), database(tmp_path, "lcl")
    words = cli.command("replay", file, "--city", city, "--store", store)
    for stored in (1, len(rows) // 3, len(rows)):
        process = start(words, log=tmp_path / "log")
        try:
            wait_for(lambda: _windows(store) >= stored or process.poll() is not None, 60, "windows")  # noqa: B023
            process.send_signal(signal.SIGKILL)
        finally:
            end(process)
    cli.replay(city, store, file, how=cli.here)
    assert outcome("lcl", store) == plain["lcl"].outcome


def _windows(store: str) -> int:
    path = store.removeprefix("sqlite:///")
    sql = "SELECT count(*) FROM hour"
    done = subprocess.run(["sqlite3", "-readonly", path, sql], capture_output=True, text=True, check=False)
    return int(done.stdout or 0)


def test_two_cities_in_one_file_leave_each_other_their_windows(tmp_path: Path) -> None:
    """The first replay is cut off before it folds; the second city's must not take its windows for sent."""
    store = f"sqlite:///{tmp_path / 'both.db'}"
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(
            f'[city]\nid="{name}"\nname="X"\ncountry="NO"\ntimezone="UTC"\npopulation=1\n'
            '[[device]]\nid="m"\nkind="electricity_meter"\nquantities=["energy_delta"]\ninterval_s=3600\n'
        )
        rows = "".join(f"2018-01-01T{hour:02}:00:00Z,m,energy_delta,{hour + 1},kWh\n" for hour in range(24))
        (tmp_path / f"{name}.csv").write_text("time,device,quantity,value,unit\n" + rows)
    first = load_city(tmp_path / "one.toml")
    opened = open_store(store)
    cut_off = Replay(first, opened, buffer_path(store, "one"), BASE_WIDTH)
    cut_off.take(next(iter(read(tmp_path / "one.csv"))), 1_600_000_000_000)
    cut_off.buffer.close()
    opened.close()
    cli.replay(tmp_path / "two.toml", store, tmp_path / "two.csv")
    cli.replay(tmp_path / "one.toml", store, tmp_path / "one.csv")
    for name in ("one", "two"):
        assert cli.values(name, store, "2018-01-01")["LOCAL:E:METERED", ""]["value"] == 300
