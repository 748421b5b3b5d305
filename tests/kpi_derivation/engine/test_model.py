"""The engine gives what plain loops over all readings give, whatever the order, repetition and restarts."""

from __future__ import annotations

import os
import random
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from telemetry.kpi_value import KpiValue
from tests.kpi_derivation.engine.cities import Feed, Synthetic, feed_by_days, feed_in_pieces, synthetic
from tests.kpi_derivation.engine.model import Model

AIR, CAPITA = "EN:EN:AQ:1C", "EN:E:E:2C"
CITIES = range(30 if os.environ.get("CITYVITALS_LONG") else 14)
Value = tuple[float | None, float, int]


def civil_days(label: str) -> tuple[date, date]:
    """First and last day of '2018', '2018-Q3', '2018-07' or '2018-07-01'."""
    year, _, rest = label.partition("-")
    if rest.startswith("Q"):
        first = date(int(year), 3 * int(rest[1]) - 2, 1)
        return first, (first + timedelta(days=100)).replace(day=1) - timedelta(days=1)
    numbers = [int(n) for n in rest.split("-")] if rest else []
    if len(numbers) == 2:
        return (day := date(int(year), *numbers)), day
    if numbers:
        first = date(int(year), numbers[0], 1)
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return date(int(year), 1, 1), date(int(year), 12, 31)


def expected(model: Model, period_capture: float, value: KpiValue) -> Value | None:
    """What the model says; None for a KPI that does not come from readings."""
    first, last = civil_days(value.period)
    if value.code == AIR:
        return model.air(value.part, first, last)
    if value.code == "LOCAL:E:METERED":
        return model.metered(first, last)
    if value.code == CAPITA:
        kwh, coverage, seen = model.metered(first, last)
        enough = kwh is not None and coverage >= period_capture
        return (kwh / 1000 if enough and kwh is not None else None), coverage, seen
    return model.charging(first, last).get(value.code)


def assert_agrees(found: KpiValue, model: Value) -> None:
    value, coverage, devices = model
    place = f"{found.code} {found.part} {found.period}"
    assert found.n_devices == devices, place
    assert found.coverage == pytest.approx(min(coverage, 1.0), abs=1e-9), place
    assert found.value == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)), place


def assert_complete(made: Synthetic, found: dict[tuple[str, str, str], KpiValue]) -> None:
    """Every civil day, month, quarter and year with readings has its values."""
    labels = {label for _, _, label in found}
    for r in made.readings:
        day = made.model.day(r.t)
        wanted = {f"{day.year}", f"{day.year}-Q{(day.month + 2) // 3}", f"{day:%Y-%m}", day.isoformat()}
        assert wanted <= labels


@pytest.mark.parametrize("seed", CITIES)
def test_the_engine_agrees_with_the_model_in_every_order(seed: int, tmp_path: Path) -> None:
    made = synthetic(seed)
    outcomes = []
    for way in (feed_in_pieces, feed_by_days):
        feed = Feed(tmp_path / way.__name__, made.city)
        way(feed, made.readings, random.Random(seed))
        outcomes.append(feed.values())
    straight = Feed(tmp_path / "straight", made.city)
    straight.give(made.readings)
    straight.derive()
    found = straight.values()
    assert_complete(made, found)
    for value in found.values():
        model = expected(made.model, made.city.rules.period_capture, value)
        if model is not None:
            assert_agrees(value, model)
    for outcome in outcomes:
        assert outcome == found


def test_a_city_without_readings_has_no_values(tmp_path: Path) -> None:
    feed = Feed(tmp_path, synthetic(0).city)
    feed.give([])
    feed.derive()
    feed.restart()
    feed.derive()
    assert feed.values() == {}


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_city_of_one_reading_agrees_with_the_model(seed: int, tmp_path: Path) -> None:
    made = synthetic(seed)
    one = made.readings[:1]
    devices, rules = made.model.devices, made.city.rules
    model = Model(made.city.city.timezone, devices, one, rules.hour_capture, rules.period_capture)
    feed = Feed(tmp_path, made.city)
    feed.give(one, twice=True)
    feed.derive()
    assert feed.values()
    for value in feed.values().values():
        found = expected(model, rules.period_capture, value)
        if found is not None:
            assert_agrees(value, found)


def test_most_synthetic_cities_have_values_to_compare() -> None:
    """The comparison does not compare two empty sets."""
    cities = [synthetic(seed) for seed in CITIES]
    first, last = date(2015, 1, 1), date(2025, 1, 1)
    metered = [c.model.metered(first, last)[0] for c in cities]
    sessions = [c.model.charging(first, last)["LOCAL:EV:ENERGY"][0] for c in cities]
    assert sum(m is not None for m in metered) > 0.4 * len(CITIES)
    assert sum(s is not None for s in sessions) > 0.4 * len(CITIES)
    resets = sum(
        b.value < a.value
        for c in cities
        for key, rows in c.model.series.items()
        if key[1] == "energy_total"
        for a, b in pairwise(rows)
    )
    assert resets > 5
