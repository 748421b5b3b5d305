"""How often stations are flagged that were not at hand when the numbers of the method were chosen; for the document.

    python -m tests.kpi_derivation.golden.air.held_out COUNCIL BEIJING

COUNCIL: a folder with the files of Aberdeen's stations of which shared/data has a part, up to June 2019. BEIJING: a
folder with the files of the UCI data set "Beijing Multi-Site Air-Quality Data" (12 stations, March 2013 to February
2017). Prints the rows of the second table of docs/explanation/suspects.md.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from kpi_derivation.engine.days.neighbours import CONFIRMED, DAY_HOURS, levels
from telemetry.series import BoolArray, FloatArray
from tests.kpi_derivation.golden.air.test_suspect_table import COLUMNS, TITLES, Days, Score, faulty, flags

BEIJING = {"no2": "NO2", "so2": "SO2", "o3": "O3", "pm10": "PM10", "pm2_5": "PM2.5"}
Row = dict[str, str]
# The analyser came back from 15 days of silence with about twice its values, and was repaired in another silence.
FAULT = (date(2018, 12, 17), date(2019, 4, 18), "aberdeen-anderson-dr.csv")
HISTORY = 221  # days before the first fault, as in the other table


def read(files: Iterable[Path], column: str, day_of: Callable[[Row], date], first: date, last: date) -> Days:
    """Levels of these files, hour by hour; `column`: of the pollutant."""
    size, sums, hours = (last - first).days + 1, [], []
    for path in files:
        mine, count = np.zeros(size), np.zeros(size)
        with path.open(encoding="utf-8-sig", newline="") as file:
            delimiter = ";" if ";" in file.readline() else ","
            file.seek(0)
            for row in csv.DictReader(file, delimiter=delimiter):
                day = (day_of(row) - first).days
                if (row.get(column) or "").strip() not in ("", "NA") and 0 <= day < size:
                    mine[day] += float(row[column])
                    count[day] += 1
        if count.any():
            sums.append(mine)
            hours.append(count)
    return Days(levels(np.array(sums), np.array(hours)), np.array(hours) >= DAY_HOURS)


def _flagged(flag: FloatArray, sure: bool) -> BoolArray:
    """The days that are flagged, or confirmed."""
    return np.asarray(flag == CONFIRMED if sure else flag > 0)


def _ended(row: Row) -> date:
    return (datetime.fromisoformat(row["DateTime"]) - timedelta(hours=1)).date()


def _dated(row: Row) -> date:
    return date(int(row["year"]), int(row["month"]), int(row["day"]))


def line(name: str, quantity: str, days: Days, first: int, every: int) -> str:
    """One row of the table; faults begin on each `every`th day from `first` on."""
    found, measured = flags(days.level)[:, first:], days.there[:, first:]
    runs = list(faulty(days, 0, first, every))
    scores = []
    for sure in (False, True):
        false, caught = _flagged(found, sure) & measured, sum(bool(_flagged(r, sure).any()) for r in runs)
        scores.append(Score(int(false.sum()), int(measured.sum()), caught, len(runs)))
    return f"| {name} | {TITLES.get(quantity, quantity.upper())} | {scores[0].text()} | {scores[1].text()} |"


def council(folder: Path) -> None:
    """Aberdeen from January to June 2019, and what is said of the station that was faulty then."""
    first, last, new_year = date(2017, 10, 1), date(2019, 6, 8), date(2019, 1, 1)
    files = [p for p in sorted(folder.glob("*.csv")) if not p.stem.endswith("road-2")]  # that one has two days
    for quantity, column in COLUMNS.items():
        days = read(files, column, _ended, first, last)
        if quantity == "no2":
            at, until = ((d - first).days for d in FAULT[:2])
            place = [p.name for p in files].index(FAULT[2])
            for named, which in (("flagged", days.level), ("flagged with 2019 alone", days.level[:, -159:])):
                shift = days.level.shape[1] - which.shape[1]
                of_it = flags(which)[place]
                there = np.flatnonzero(of_it > 0) + shift
                inside = there[(there >= at) & (there <= until)]
                sure = int((of_it == CONFIRMED).sum())
                begun = first + timedelta(int(inside[0])) if len(inside) else None
                print(f"{FAULT[2]}: {named} on {len(inside)} days of the fault, first {begun}; {sure} days confirmed")
            days.there[place, at : until + 1] = False
        print(line("Aberdeen, January to June 2019", quantity, days, (new_year - first).days, 9))


def beijing(folder: Path) -> None:
    """Four years of twelve stations."""
    first, last = date(2013, 3, 1), date(2017, 2, 28)
    for quantity, column in BEIJING.items():
        days = read(sorted(folder.glob("PRSA_Data_*.csv")), column, _dated, first, last)
        print(line("Beijing, October 2013 to February 2017", quantity, days, HISTORY, 63))


if __name__ == "__main__":
    council(Path(sys.argv[1]))
    beijing(Path(sys.argv[2]))
