"""How often recorded stations are flagged and confirmed, with a fault and without: docs/explanation/suspects.md.

Aberdeen's stations from October 2017 to the end of 2018, of which no fault is known. A fault is one station that
measures twice as much; it begins on every ninth day.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from kpi_derivation.engine.days.expectations import LEAST_USUAL, STRIDE, USUAL
from kpi_derivation.engine.days.neighbours import CONFIRMED, DAY_HOURS, KNOWN, judge, levels, of_the_others
from telemetry.series import BoolArray, FloatArray
from tests.kpi_derivation.golden.aberdeen import devices, readings
from tests.kpi_derivation.golden.world import World
from tests.replay import recorded

PAGE = Path(__file__).parents[4] / "docs" / "explanation" / "suspects.md"
COLUMNS = {"no2": "Nitrogen Dioxide", "pm10": "PM10", "pm2_5": "PM2.5"}
START = date(2017, 10, 1)
WITHIN, EVERY = 14, 9
TITLES = {"no2": "NO2", "pm10": "PM10", "pm2_5": "PM2.5", "all": "all"}


class Days(NamedTuple):
    """Levels (logarithms of daily means) and which days are measured, of each station of a quantity."""

    level: FloatArray
    there: BoolArray


@cache
def council(quantity: str) -> Days:
    """From the council's files, whose stamps are the ends of hours."""
    size = (date(2018, 12, 31) - START).days + 1
    sums, hours = [], []
    for path in sorted(recorded.need("aberdeen/council").glob("*.csv.gz")):
        with gzip.open(path, "rt", newline="") as file:
            rows = [r for r in csv.DictReader(file, delimiter=";") if r.get(COLUMNS[quantity])]
        mine, count = np.zeros(size), np.zeros(size)
        for r in rows:
            day = (datetime.fromisoformat(r["DateTime"]) - timedelta(hours=1)).date()
            mine[(day - START).days] += float(r[COLUMNS[quantity]])
            count[(day - START).days] += 1
        if rows:
            sums.append(mine)
            hours.append(count)
    return Days(levels(np.array(sums), np.array(hours)), np.array(hours) >= DAY_HOURS)


def flags(level: FloatArray, known: FloatArray | None = None, start: int = 0) -> FloatArray:
    return judge(level, of_the_others(level), np.zeros(level.shape) if known is None else known, start)


class Score(NamedTuple):
    """Station-days without a fault that are flagged, of all; faults that are flagged within WITHIN days, of all."""

    false: int
    days: int
    found: int
    faults: int

    def __add__(self, other: object) -> Score:
        assert isinstance(other, Score)
        return Score(*(a + b for a, b in zip(self, other, strict=True)))

    def text(self) -> str:
        return f"{100 * self.false / self.days:.2f} %, {100 * self.found / self.faults:.0f} % of {self.faults}"


def faulty(days: Days, since: int, first: int, every: int = EVERY) -> Iterator[FloatArray]:
    """Flags of the WITHIN days of each fault of which anything can be said; the data begin at the day `since`."""
    level, there = days.level[:, since:], days.there[:, since:]
    several = there & ((there.sum(axis=0) - there) >= 2)
    before = flags(level)
    for station in range(len(level)):
        for day in range(first, level.shape[1] - WITHIN, every):
            usual = several[station, day - USUAL : day].sum() >= LEAST_USUAL
            if several[station, day : day + WITHIN].sum() >= 10 and usual:
                doubled = level[:, : day + WITHIN].copy()
                doubled[station, day:] += np.log(2.0)
                begun = day - day % STRIDE
                known = np.hstack((before[:, :begun], np.zeros((len(level), day + WITHIN - begun))))
                yield flags(doubled, known, begun)[station, day:]


@cache
def scores(quantity: str, since: int, first: int) -> tuple[Score, Score]:
    """Of all flags, and of the confirmed ones."""
    days = council(quantity)
    unaltered, measured = flags(days.level[:, since:])[:, first:], int(days.there[:, since + first :].sum())
    runs = list(faulty(days, since, first))
    return (
        Score(int((unaltered > 0).sum()), measured, sum(bool((r > 0).any()) for r in runs), len(runs)),
        Score(
            int((unaltered == CONFIRMED).sum()), measured, sum(bool((r == CONFIRMED).any()) for r in runs), len(runs)
        ),
    )


NEW_YEAR = (date(2018, 1, 1) - START).days
STYLES = {
    f"with {KNOWN} days of history (faults from 10 May 2018 on)": (0, 221),
    "without (data from 1 January 2018, faults from 17 March on)": (NEW_YEAR, 75),
}


def total(since: int, first: int) -> tuple[Score, Score]:
    both = [scores(q, since, first) for q in COLUMNS]
    return sum((b[0] for b in both[1:]), both[0][0]), sum((b[1] for b in both[1:]), both[0][1])


def after_repair() -> tuple[float, float]:
    """Share of the days after the repair that are flagged, and confirmed, of a station that was doubled until then.

    From the first day of the data on, for 75, 105 and 135 days: nothing shows that this was the fault.
    """
    flagged, confirmed, days = 0, 0, 0
    for quantity in COLUMNS:
        level = council(quantity).level[:, NEW_YEAR:]
        for station in range(len(level)):
            for until in (75, 105, 135):
                altered = level.copy()
                altered[station, :until] += np.log(2.0)
                after = flags(altered)[station, until : until + 40]
                flagged, confirmed = flagged + int((after > 0).sum()), confirmed + int((after == CONFIRMED).sum())
                days += int((~np.isnan(altered[station, until : until + 40])).sum())
    return flagged / days, confirmed / days


def page() -> str:
    """The table as the document has it."""
    lines = ["| data | pollutant | flagged (before) | confirmed (now left out) |", "|--|--|--|--|"]
    for style, (since, first) in STYLES.items():
        for quantity in (*COLUMNS, "all"):
            pair = total(since, first) if quantity == "all" else scores(quantity, since, first)
            lines.append(f"| {style} | {TITLES[quantity]} | {pair[0].text()} | {pair[1].text()} |")
    shares = after_repair()
    lines.append("")
    lines.append("Days after its repair on which a station is flagged that was doubled from the first day on:")
    lines.append(f"{100 * shares[0]:.0f} %; confirmed: {100 * shares[1]:.0f} %.")
    return "\n".join(lines)


def test_the_document_has_the_table_of_false_flags_and_of_faults_found() -> None:
    print(page())
    assert page() in PAGE.read_text(encoding="utf-8"), page()


def test_confirmed_faults_of_recorded_stations_reach_the_aim_over_all_pollutants() -> None:
    """Under 0.5 % false station-days at 90 % of doubled stations found within two weeks; NO2 alone reaches less."""
    flagged, confirmed = total(*next(iter(STYLES.values())))
    assert confirmed.false / confirmed.days < 0.005
    assert confirmed.found / confirmed.faults >= 0.9
    assert confirmed.false < flagged.false / 2


@pytest.mark.parametrize("quantity", COLUMNS)
def test_without_history_nothing_is_confirmed_early(quantity: str) -> None:
    level = council(quantity).level[:, NEW_YEAR:]
    altered = level.copy()
    altered[0, :105] += np.log(2.0)
    assert not (flags(altered)[:, :KNOWN] == CONFIRMED).any()


def test_the_rule_exclude_suspect_leaves_the_year_of_stations_without_a_known_fault_as_it_is() -> None:
    w = World(devices(), {"exclude_suspect": True})
    w.take(r for r in readings() if r.quantity == "no2")
    found = w.value("EN:EN:AQ:1C", "2018", "no2")
    assert found.value == pytest.approx(28.3610, abs=5e-5)  # it was 31.895 without the station that was flagged
    assert "suspect: errol-place" in found.notes
