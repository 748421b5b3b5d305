"""Scenarios: the same catalogue on changed windows, in an invented town whose arithmetic is plain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from adapters.sqlite.store import SqliteStore
from kpi_derivation.engine.runner import Engine
from planning.charging.sessions import Sessions
from planning.measured import Limited, engine_over, parse_span, view_of
from planning.one_draw import ENERGY, Draws
from planning.scenario import Measured, Outcome, Planned, Scenario, run
from planning.transforms import TRANSFORMS, battery, pv
from registry.city import City
from telemetry.errors import UsageError
from telemetry.kpi_value import KpiQuery, StoredKpi
from telemetry.windows import DAY
from tests.planning import town

PERIOD = parse_span("2019-01", City.model_validate(town.config()))
Town = tuple[SqliteStore, City, list[StoredKpi]]

FEEDERS = [
    {"id": "north", "meters": ["meter-0", "meter-1", "meter-2"], "rating_kva": 5.0},
    {"id": "south", "meters": ["meter-3", "meter-4", "meter-5"], "rating_kva": 50.0},
]
STREET = {"kind": "street", "station": "street", "background": "park", "removed": 0.5, "emission_share": 0.4}
CARS = {"kind": "ev_share", "share": 0.5, "kw": 11.0, "least_kwh": 1.0}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = town.stored(tmp_path_factory.mktemp("town"), feeder=FEEDERS)
    yield made
    made[0].close()


def planned(
    small: Town, *transforms: dict[str, Any], draws: int = 20, seed: int = 1, sessions: Sessions | None = None
) -> Outcome:
    store, city, _ = small
    given = town.sessions() if sessions is None else sessions
    measured = Measured(city, store, parse_span("2019-01", city), town.NOW, given)
    return run(Scenario(name="test", transforms=transforms, draws=draws, seed=seed), measured)


def value(found: Outcome, code: str, part: str = "") -> Planned:
    return next(v for v in found.values if (v.code, v.part) == (code, part))


def median(found: Outcome, code: str, part: str = "") -> float:
    middle = value(found, code, part).p50
    assert middle is not None
    return middle


def loads() -> Any:
    return np.array([town.load(i) for i in range(len(town.METERS))])


def test_a_scenario_without_transforms_is_what_was_measured_bit_for_bit(small: Town) -> None:
    measured = {(v.kpi.code, v.kpi.part): v.kpi.value for v in small[2] if v.kpi.period == "2019-01"}
    found = planned(small)
    assert len([x for x in measured.values() if x is not None]) > 5
    given = {(v.code, v.part): v.baseline for v in found.values}  # and what no reading of the town touches
    assert {key: given[key] for key in measured} == measured
    for v in found.values:
        assert v.p5 == v.p50 == v.p95 == v.baseline
        assert not v.changed
    assert found.label.startswith("scenario")


def test_nothing_of_a_scenario_is_stored(small: Town) -> None:
    before = msgspec.json.encode(small[0].kpis(KpiQuery("town")))
    planned(small, CARS)
    assert msgspec.json.encode(small[0].kpis(KpiQuery("town"))) == before
    assert small[0].cities()[0].config["device"][-1]["id"] == "park"


def test_the_same_seed_gives_the_same_bytes(small: Town) -> None:
    first, second, other = (msgspec.json.encode(planned(small, CARS, seed=seed)) for seed in (5, 5, 6))
    assert first == second
    assert first != other


def test_a_saving_scales_energy_peak_and_emissions(small: Town) -> None:
    found = planned(small, {"kind": "saving", "percent": 10})
    for code in ("LOCAL:E:METERED", "LOCAL:E:PEAK", "EN:EN:AQ:2C"):
        baseline = value(found, code).baseline
        assert baseline is not None
        assert median(found, code) == pytest.approx(0.9 * baseline)
    assert value(found, "LOCAL:E:COINCIDENCE").p50 == pytest.approx(value(found, "LOCAL:E:COINCIDENCE").baseline)


def test_the_grid_factor_changes_emissions_only(small: Town) -> None:
    found = planned(small, {"kind": "grid_factor", "kg_per_kwh": 0.1, "source": "a study"})
    assert median(found, "EN:EN:AQ:2C") == pytest.approx(loads().sum() * 0.1 / 1000 / 1000)
    assert {v.code for v in found.values if v.changed} == {"EN:EN:AQ:2C"}


def test_cars_add_the_energy_and_the_load_of_whole_users(small: Town) -> None:
    found = planned(small, CARS, draws=1)
    s = town.sessions()
    energy = {u: float(s.kwh[s.user == u].sum()) for u in range(12)}
    added = median(found, "LOCAL:E:METERED") - loads().sum()
    sums = {round(a + b + c, 6) for a in energy.values() for b in energy.values() for c in energy.values()}
    assert min(abs(added - total) for total in sums) < 1e-4
    assert median(found, "LOCAL:E:PEAK") > loads().sum(axis=0).max() * 4 + 5


def test_more_cars_never_lower_the_median_peak(small: Town) -> None:
    medians = [median(planned(small, CARS | {"share": share}), "LOCAL:E:PEAK") for share in (0.0, 0.2, 0.5, 1.0, 3.0)]
    assert medians == sorted(medians)
    assert medians[0] == pytest.approx(loads().sum(axis=0).max() * 4)


@pytest.mark.parametrize("period", ["2019-01-14", "2019-01"])
def test_more_cars_than_recorded_users_in_a_day_are_copies_of_these(small: Town, period: str) -> None:
    store, city, _ = small
    measured = Measured(city, store, parse_span(period, city), town.NOW, town.sessions())
    many = CARS | {"share": 6.0, "least_kwh": 0.1}
    found, more = (run(Scenario(name="x", transforms=(t,), draws=5), measured) for t in (many, many | {"share": 9.0}))
    assert median(found, "LOCAL:E:PEAK") <= median(more, "LOCAL:E:PEAK")
    assert median(more, "LOCAL:E:METERED") > median(found, "LOCAL:E:METERED")


def test_a_draw_reads_its_own_meter_whatever_it_asks_for(small: Town) -> None:
    """The meters that differ by draw have an engine of their own; days, hours and lives come from the right one."""
    shared, drawn = (view_of(one, PERIOD, town.NOW) for one in engines(small, "meter-1"))
    city = shared.city.model_copy(update={"device": [*small[1].device[1:2], *small[1].device[:1]]})
    one = Draws(shared, drawn, "meter-0", city).view("meter-0", shared.read_demand)
    whole = view_of(engine_over(small[1], small[0], PERIOD), PERIOD, town.NOW)
    first, last = date(2019, 1, 2).toordinal(), date(2019, 1, 5).toordinal()
    names, start = ["meter-1", "meter-0"], town.START + DAY
    for column in ("n", "sum", "covered"):
        expected = whole.read_days(names, ENERGY, first, last)[column]
        assert one.read_days(names, ENERGY, first, last)[column].tobytes() == expected.tobytes()
    hours = (reader(names, ENERGY, start, start + DAY) for reader in (one.read_hours, whole.read_hours))
    assert next(hours).tobytes() == next(hours).tobytes()
    for a, b in zip(one.read_life(names, [ENERGY]), whole.read_life(names, [ENERGY]), strict=True):
        assert a.tobytes() == b.tobytes()
    for name in names:
        mine, all_of_it = (view.sums.of(view.sums.places([name], ENERGY), ENERGY) for view in (one, whole))
        assert mine[0, 0] > 0
        assert mine.tobytes() == all_of_it.tobytes()


def engines(small: Town, shared: str) -> Iterator[Engine]:
    """Of one meter that all draws share, and of the meter of one draw."""
    for name in (shared, "meter-0"):
        history = Limited(small[0], town.START - DAY, town.END, [name])
        yield engine_over(small[1], history, PERIOD)


def test_managed_cars_stay_within_the_connection_and_count_as_able_to_respond(small: Town) -> None:
    limit = float(loads().sum(axis=0).max() * 4 + 1.0)
    managed = {"kind": "managed", "connection_kw": limit}
    found = planned(small, CARS, managed)
    assert median(found, "LOCAL:E:PEAK") <= limit + 1e-6
    assert median(found, "EC:ICT:ES:3A") == pytest.approx(3.0)


def test_the_cheap_hour_raises_the_peak(small: Town) -> None:
    many = CARS | {"share": 2.0}
    assert median(planned(small, many, {"kind": "tariff_sync", "hour": 23}), "LOCAL:E:PEAK") > median(
        planned(small, many), "LOCAL:E:PEAK"
    )


def test_photovoltaics_never_raise_grid_energy_and_add_up(small: Town) -> None:
    roofs = {"kind": "pv", "kwp": 2.0, "measured_kwp": 2.0}
    found = planned(small, roofs)
    grid = np.maximum(loads() - town.sun(), 0.0).sum()
    fed_in = np.maximum(town.sun() - loads(), 0.0).sum()
    assert median(found, "LOCAL:E:METERED") == pytest.approx(grid)
    assert grid <= loads().sum()
    made = 7 * town.sun().sum()  # the measured roof is still there
    assert median(found, "LOCAL:E:SELF_CONSUMPTION") == pytest.approx(100 * (made - fed_in) / made, rel=1e-6)


@pytest.mark.parametrize("kwp", [0.5, 2.0, 8.0])
def test_more_photovoltaics_never_raise_grid_energy(small: Town, kwp: float) -> None:
    found = planned(small, {"kind": "pv", "kwp": kwp, "measured_kwp": 2.0, "share": 0.5})
    assert median(found, "LOCAL:E:METERED") <= loads().sum() + 1e-9


def test_a_battery_lowers_what_is_drawn_and_fed_in(small: Town) -> None:
    roofs = {"kind": "pv", "kwp": 4.0, "measured_kwp": 2.0}
    without, with_one = planned(small, roofs), planned(small, roofs, {"kind": "battery", "kwh": 3.0})
    assert median(with_one, "LOCAL:E:METERED") < median(without, "LOCAL:E:METERED")
    assert median(with_one, "LOCAL:E:SELF_CONSUMPTION") > median(without, "LOCAL:E:SELF_CONSUMPTION")


def test_a_battery_by_hand() -> None:
    load, spare = np.array([[0.0, 0.0, 4.0, 4.0]]), np.array([[4.0, 4.0, 0.0, 0.0]])
    drawn, left = battery.stored(load, spare, battery.Options(kwh=1.5), 0.25)
    # 1 kWh in gives 0.9; then 0.6 / 0.9 = 0.667 kWh fill it to 1.5; 1.0 and 0.5 kWh come out.
    assert left[0] == pytest.approx([0.0, (1.0 - 0.6 / 0.9) * 4, 0, 0])
    assert drawn[0] == pytest.approx([0, 0, 0.0, 2.0])


def test_self_consumption_and_autarky_by_hand() -> None:
    load, made = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.0])
    assert pv.self_consumption(load, made) == pytest.approx(3 / 4)
    assert pv.autarky(load, made) == pytest.approx(3 / 6)


def test_heat_pumps_add_the_heat_over_the_cop(small: Town) -> None:
    found = planned(small, {"kind": "heat_pump", "share": 1.0, "cop": 2.5})
    heat = np.cumsum(2.0 + np.cos(np.arange((town.END - town.START) // 3_600_000)))
    expected = (heat[-1] - heat[0]) / 2.5
    assert median(found, "LOCAL:E:METERED") - loads().sum() == pytest.approx(expected, rel=1e-6)


def test_a_street_closed_to_part_of_its_traffic(small: Town) -> None:
    found = planned(small, STREET)
    hours = np.arange((town.END - town.START) // 3_600_000)
    behind, level = 20 + 3 * np.sin(hours / 5.0), 35 + 6 * np.sin(hours / 5.0)
    expected = (behind + (behind + (level - behind) * (1 - 0.2))).mean() / 2
    assert median(found, "EN:EN:AQ:1C", "no2") == pytest.approx(expected)
    assert any("upper bound" in note for note in found.notes)
    assert any("17 German cities" in note for note in found.notes)


def test_a_meter_of_many_homes_counts_as_so_many(small: Town) -> None:
    """A substation is not one home: 6 meters of 106 homes, of which half get a car, and all a roof."""
    store, plain, _ = small
    first, *others = plain.device
    city = plain.model_copy(update={"device": [replace(first, customers=101.0), *others]})
    measured = Measured(city, store, parse_span("2019-01", city), town.NOW, town.sessions())
    roofs = {"kind": "pv", "kwp": 0.1, "measured_kwp": 2.0}
    cars, sun = (run(Scenario(name="x", transforms=(t,), draws=2), measured) for t in (CARS, roofs))
    assert any(note.startswith("53 cars at") for note in cars.notes)
    assert [f.cars for f in cars.feeders] == [round(53 * 103 / 106), round(53 * 3 / 106)]
    times = np.array([101, 1, 1, 1, 1, 1])[:, None]
    grid = np.maximum(loads() - times * town.sun() * 0.1 / 2.0, 0.0).sum()
    assert median(sun, "LOCAL:E:METERED") == pytest.approx(grid)
    assert any(note.startswith("106 roofs") for note in sun.notes)


def test_feeders_show_loading_before_and_after(small: Town) -> None:
    found = planned(small, CARS | {"share": 2.0})
    north, south = found.feeders
    peak = loads()[:3].sum(axis=0).max() * 4
    assert north.highest == pytest.approx(peak / (5.0 * 0.95))
    assert north.headroom_kw == pytest.approx(5.0 * 0.95 - peak)
    assert (north.cars, south.cars) == (6, 6)
    assert north.scenario_highest > north.highest
    assert north.scenario_hours_over > north.hours_over
    assert south.scenario_hours_over == 0
    assert north.scenario_life_hours > north.life_hours


@pytest.mark.parametrize(
    ("transforms", "words"),
    [
        ([{"kind": "ev_shar", "share": 1}], "did you mean 'ev_share'"),
        ([{"kind": "ev_share", "shares": 1}], "'shares' is not an option of ev_share"),
        ([{"kind": "ev_share", "share": "half"}], "ev_share: 'share' must be a number, not a text"),
        ([{"kind": "managed", "limit_kw": 5}], "put an ev_share"),
        ([CARS, {"kind": "managed"}], "either limit_kw"),
        ([{"kind": "battery", "kwh": 5}], "put a pv before it"),
        ([{"kind": "saving", "percent": 5, "role": "billed"}], "selects no meter of 'town'"),
        ([STREET | {"background": "meadow"}], "'meadow' has no hour"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_scenario_is_said(small: Town, transforms: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        planned(small, *transforms)


def test_a_city_without_the_data_is_refused_in_words(small: Town) -> None:
    store, city, _ = small
    with pytest.raises(UsageError, match="no measured value of 'town' in 2017"):
        run(Scenario(name="x"), Measured(city, store, parse_span("2017", city), town.NOW))
    meters_only = city.model_copy(update={"device": [d for d in city.device if d.id.startswith("meter")]})
    for kind, options in (("pv", {"kwp": 1, "measured_kwp": 1}), ("heat_pump", {"share": 1})):
        with pytest.raises(UsageError, match=r"has no (generation|heat) meter"):
            run(
                Scenario(name="x", transforms=({"kind": kind, **options},)),
                Measured(meters_only, store, parse_span("2019-01", city), town.NOW),
            )
    with pytest.raises(UsageError, match="needs recorded sessions"):
        run(Scenario(name="x", transforms=(CARS,)), Measured(city, store, parse_span("2019-01", city), town.NOW))


def test_the_folder_is_the_registry_of_transforms() -> None:
    folder = Path(pv.__file__).parent
    assert set(TRANSFORMS) == {p.stem for p in folder.glob("*.py")} - {"__init__"}
    assert all(t.text for t in TRANSFORMS.values())


def test_a_span_of_months_is_a_period(small: Town) -> None:
    city = small[1]
    period = parse_span("2019-01..2019-02", city)
    assert (period.start, period.end) == (town.START, town.START + 59 * 86_400_000)
    with pytest.raises(UsageError, match="ends before it starts"):
        parse_span("2019-02..2019-01", city)
