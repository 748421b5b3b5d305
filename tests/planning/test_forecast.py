"""Forecasts: only the past is used, only what beats the week before is shown, and the peak of the month."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from planning.forecast import HORIZON, LEAST, WEEK, backtest, features, forecast, naive, peak_so_far
from planning.grid import QUARTER, Grid
from planning.measured import LoadCurves
from planning.outlook import load_history, whole_until
from registry.city import City
from telemetry.errors import UsageError
from telemetry.series import FloatArray
from telemetry.windows import DAY, HOUR
from tests.planning import long_town
from tests.planning.recorded_data import meters, station_hours

START = 1_546_300_800_000


def wave(n: int, noise: float = 0.0, seed: int = 1) -> FloatArray:
    t = np.arange(n)
    rng = np.random.default_rng(seed)
    made: FloatArray = 50 + 10 * np.sin(2 * np.pi * t / 24) + 5 * np.sin(2 * np.pi * t / WEEK)
    return made + rng.normal(0, noise, n)


def test_seasonal_naive_is_the_same_hour_of_the_week_before() -> None:
    values = np.arange(1000.0)
    assert naive(values, 900).tolist() == [x - WEEK for x in range(900, 900 + HORIZON)]
    values[900 - WEEK] = np.nan
    assert naive(values, 900)[0] == 900 - 2 * WEEK


def test_features_know_nothing_of_the_future() -> None:
    values = wave(1000, 3.0)
    changed = values.copy()
    changed[700:] = 1e9
    assert np.array_equal(features(values, START, 700), features(changed, START, 700))


def test_a_week_that_repeats_is_not_beaten_and_not_shown() -> None:
    values = wave(LEAST + 20 * WEEK)
    found = forecast(values, START, START + len(values) * HOUR, weeks=3)
    assert all(s.naive == pytest.approx(0, abs=1e-9) for s in found.scores)
    assert not any(s.better for s in found.scores)
    assert np.isnan(found.value).all()


def test_a_forecast_carries_its_measured_error() -> None:
    values = wave(LEAST + 6 * WEEK, 4.0)
    found = forecast(values, START, START + len(values) * HOUR, weeks=3)
    assert found.t[0] == START + len(values) * HOUR
    for s in found.scores:
        shown = ~np.isnan(found.value[s.first - 1 : s.last])
        assert shown.all() == s.better
        assert (found.p90[s.first - 1 : s.last] == s.p90).all()
    assert any(s.better for s in found.scores)  # the week before has the noise twice


def test_the_same_history_gives_the_same_forecast() -> None:
    values = wave(LEAST + 5 * WEEK, 4.0)
    one, two = (forecast(values, START, START + len(values) * HOUR, weeks=2) for _ in range(2))
    assert one.value.tobytes() == two.value.tobytes()


def test_a_year_without_values_before_the_last_ten_weeks_does_not_matter() -> None:
    values = wave(4 * WEEK + 8760 + 10 * WEEK, 4.0)
    values[4 * WEEK : 4 * WEEK + 8760] = np.nan
    found = forecast(values, START, START + len(values) * HOUR, weeks=8)
    assert any(s.better for s in found.scores)


def test_what_cannot_be_forecast_is_said() -> None:
    with pytest.raises(UsageError, match="at least 1344"):
        forecast(wave(500), START, START + 500 * HOUR)
    with pytest.raises(UsageError, match="would lie in the past"):
        forecast(wave(2000), START, START + 2400 * HOUR)


# The whole second half of the year with CITYVITALS_LONG=1: its table is in planning/README.md.
LONG = os.environ.get("CITYVITALS_LONG") == "1"
ORIGINS = list(range((26 if LONG else 48) * WEEK, 52 * WEEK - HORIZON, 49))


# Name: quantity and station; the load of the meters without one. The quick suite takes the first two.
SERIES = {
    "London homes, kW": ("", ""),
    "Union Street NO2, ug/m3": ("no2", "union-street"),
    "Errol Place NO2, ug/m3": ("no2", "errol-place"),
    "Errol Place PM2.5, ug/m3": ("pm2_5", "errol-place"),
    "Wellington Road PM10, ug/m3": ("pm10", "wellington-road"),
}
NOT_BETTER = {("Wellington Road PM10, ug/m3", 13)}  # from this hour ahead on, the week before is as good: not shown


def hours_of(name: str) -> FloatArray:
    quantity, station = SERIES[name]
    if station:
        return station_hours(quantity)[0][station]
    return np.nansum(meters()[1], axis=0).reshape(-1, 2).mean(axis=1)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", list(SERIES)[: None if LONG else 2])
def test_the_backtest_on_recorded_data(name: str) -> None:
    _, _, over = meters()
    values = hours_of(name)
    scores, errors = backtest(values, over.start, ORIGINS)
    for s in scores:
        print(f"{name}: {s.first} to {s.last} h: model {s.model:.3f}, naive {s.naive:.3f}, {s.hours} hours")
    assert errors.shape == (len(ORIGINS), HORIZON, 2)
    pairs = ((values[o + h], values[o + h - WEEK]) for o in ORIGINS for h in range(6))
    by_hand = [abs(a - b) for a, b in pairs if not (np.isnan(a) or np.isnan(b))]
    assert scores[0].naive == pytest.approx(sum(by_hand) / len(by_hand), rel=0.02)  # gaps fall back on two weeks
    assert not LONG or {s.first for s in scores if not s.better} == {h for n, h in NOT_BETTER if n == name}


@pytest.mark.parametrize("hours", [0, 15])
def test_the_history_of_the_load_begins_when_the_store_does(tmp_path: Path, hours: int) -> None:
    """Curves are of whole days; a store that begins in the afternoon had each hour at another time of day."""
    store = long_town.stored(tmp_path)
    city = City.model_validate(long_town.CONFIG)
    now = long_town.START + 420 * DAY + hours * HOUR
    found = load_history(store, city, now)
    both = long_town.hours()
    first = (found.start - long_town.START) // HOUR
    known = np.flatnonzero(~np.isnan(found.values))
    expected = both["school", "energy_delta"] + both["library", "energy_delta"]
    assert len(known) > 300 * 24
    assert found.values[known] == pytest.approx(expected[first + known], rel=1e-9)
    store.close()


def test_the_latest_quarter_is_one_that_is_over_and_that_all_meters_measured() -> None:
    """The running quarter had a third of the meters: a load that seems to have fallen."""
    kw = np.full((10, 300), np.nan)
    kw[:, :200] = 5.0
    kw[:3, 200] = 5.0  # over, but seven meters have not sent yet
    kw[:, 201] = 2.0  # running
    curves = LoadCurves(tuple("abcdefghij"), Grid(START, QUARTER, 300), kw)
    assert whole_until(curves, START + 201 * QUARTER + 60_000) == 200
    kw[:, 200] = 5.0
    assert whole_until(curves, START + 201 * QUARTER + 60_000) == 201
    assert whole_until(curves, START + 202 * QUARTER) == 202
    kw[4:, 20:] = np.nan  # six meters left long ago: the others are all there are
    assert whole_until(curves, START + 201 * QUARTER + 60_000) == 201
    assert whole_until(curves, START) == 300, "nothing is over yet"


def test_the_peak_of_the_month_so_far() -> None:
    power = np.array([10.0, 30.0, np.nan, 20.0, np.nan, np.nan])
    found = peak_so_far(power, START, 900_000)
    assert (found.kw, found.at, found.latest, found.left) == (30.0, START + 900_000, 20.0, 10.0)
    assert found.missing == pytest.approx(0.25)
    assert peak_so_far(power, START, 900_000, 45.0).left == 25.0
    with pytest.raises(UsageError, match="No interval of this month"):
        peak_so_far(np.array([np.nan]), START, 900_000)
