"""Targets beside KPI values, events, air bands, rejects: the rows for dashboards, apart from those of devices."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import numpy as np
import pytest

from adapters.points import Point
from ingest import events, targets
from ingest.air_bands import bands
from ingest.status import Status
from kpi_derivation.rules.air.calibration import Calibrations
from kpi_derivation.verdicts import NO_VERDICT, OFF, ON
from kpi_derivation.verdicts import goals as goals_of
from registry.city import City
from telemetry.errors import Unavailable
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.ingest.samples import PutPoints, Values

NOW = 1_767_225_600_000
CALIBRATION = {"quantity": "pm2_5", "valid_from": "2025-06-01", "gain": 2.0, "version": 2}
CITY = City.model_validate(
    {
        "city": {"id": "town", "name": "Town", "country": "NO", "timezone": "Europe/Oslo"},
        "device": [
            {"id": "air-1", "kind": "air_lowcost", "quantities": ["pm2_5"], "calibration": [CALIBRATION]},
            {"id": "air-2", "kind": "air_reference", "quantities": ["pm2_5", "temperature"]},
        ],
        "target": [
            {"code": "EN: EN: AQ: 1C", "part": "PM2.5", "value": 10},
            {"code": "LOCAL:E:PEAK", "value": 2800, "direction": "lower"},
            {"code": "LOCAL:EV:AVAILABILITY", "value": 97, "direction": "higher"},
            {"code": "LOCAL:E:METERED", "value": 1000, "direction": "lower"},
        ],
    }
)


LISTED = {(d.id, q): 1.0 for d in CITY.device for q in d.quantities}


def stored(
    code: str, value: float | None, unit: str, *, part: str = "", kind: str = "365d", **more: object
) -> StoredKpi:
    plain = {
        "city": "town", "code": code, "part": part, "period": "x", "kind": kind, "start": 0, "end": NOW, "value": value,
        "unit": unit, "coverage": 1.0, "status": "final", "n_devices": 1, "method": "m/1", "revision": 1,
    }  # fmt: skip
    beside = {name: more.pop(name) for name in ("previous", "changed") if name in more}
    return StoredKpi(kpi=KpiValue(**plain | more), **{"changed": NOW} | beside)  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "verdict"), [(9.99, ON), (10.0, ON), (10.01, OFF), (None, NO_VERDICT)])
def test_a_value_is_held_against_its_target(value: float | None, verdict: int) -> None:
    goals = goals_of(CITY)
    [row] = targets.rows([stored("EN:EN:AQ:1C", value, "ug/m3", part="pm2_5")], goals)
    assert row.tags == {"city": "town", "code": "EN:EN:AQ:1C", "part": "pm2_5", "period": "365d"}
    assert (row.fields, row.time) == ({"target": 10.0, "better": -1, "verdict": verdict}, NOW)


def test_a_value_of_a_part_of_its_period_is_held_against_nothing() -> None:
    [row] = targets.rows([stored("EN:EN:AQ:1C", 50.0, "ug/m3", part="pm2_5", status="partial")], goals_of(CITY))
    assert row.fields["verdict"] == NO_VERDICT


def test_where_higher_is_better_the_target_is_a_floor() -> None:
    values = [stored("LOCAL:EV:AVAILABILITY", v, "%") for v in (96.9, 97.0)]
    verdicts = [row.fields["verdict"] for row in targets.rows(values, goals_of(CITY))]
    assert verdicts == [OFF, ON]


def test_a_target_of_a_year_is_not_held_against_a_day_unless_the_unit_does_not_grow() -> None:
    values = [stored("LOCAL:E:METERED", 5.0, "kWh", kind="day"), stored("LOCAL:E:PEAK", 5.0, "kW", kind="day")]
    verdicts = [row.fields["verdict"] for row in targets.rows(values, goals_of(CITY))]
    assert verdicts == [NO_VERDICT, ON]


@pytest.mark.parametrize(
    ("kwh", "status", "verdict"),
    [
        (900.0, "provisional", NO_VERDICT),  # of the year so far
        (1001.0, "provisional", OFF),  # and nothing makes it less
        (900.0, "final", ON),
    ],
)
def test_the_sum_of_a_running_year_is_not_on_target_yet(kwh: float, status: str, verdict: int) -> None:
    [row] = targets.rows([stored("LOCAL:E:METERED", kwh, "kWh", kind="year", status=status)], goals_of(CITY))
    assert row.fields["verdict"] == verdict


def test_a_value_without_a_target_says_so_because_the_target_may_have_been_taken_out() -> None:
    [row] = targets.rows([stored("LOCAL:E:PEAK", 5.0, "kW")], {})
    assert row.fields == {"verdict": NO_VERDICT}


def test_a_calibration_is_an_event_at_midnight_of_the_citys_clock() -> None:
    [event] = events.calibrations(CITY)
    assert event.tags == {"city": "town", "kind": "calibration", "about": "air-1 pm2_5"}
    assert event.time == 1_748_728_800_000  # 2025-05-31T22:00:00Z
    assert event.fields["text"] == "air-1: pm2_5 calibrated, version 2"


def test_a_revision_is_an_event_and_a_first_value_is_none() -> None:
    changed = [
        stored("LOCAL:E:PEAK", 5.0, "kW", revision=2, previous=4.0),
        stored("LOCAL:E:PEAK", 5.0, "kW", previous=4.0),
    ]
    [event] = events.revisions(changed)
    assert event.fields["text"] == "LOCAL:E:PEAK x: 4 became 5 kW, revision 2"


def test_a_silence_is_an_event_from_the_last_reading_to_the_next() -> None:
    silences = events.Silences(CITY)
    [begun] = silences.note(["air-1"], [], {"air-1": NOW}, NOW + HOUR)
    assert (begun.time, begun.fields) == (NOW, {"text": "air-1 is silent", "until": None})
    [ended] = silences.note([], ["air-1"], {"air-1": NOW + HOUR}, NOW + HOUR)
    assert (ended.time, ended.fields) == (NOW, {"text": "air-1 was silent", "until": NOW + HOUR})
    assert ended.tags == begun.tags


def test_many_devices_that_fall_silent_together_are_one_event() -> None:
    silences = events.Silences(CITY)
    assert list(silences.note([], [], {}, NOW)) == []
    names = [f"d{n}" for n in range(7)]
    [event] = silences.note(names, [], dict.fromkeys(names, NOW), NOW + HOUR)
    assert event.fields == {"text": "7 devices fell silent: d0, d1, d2, d3, d4 and 2 more", "until": None}
    [ended] = silences.note([], names, {}, NOW + 2 * HOUR)
    assert ended.fields["until"] == NOW + 2 * HOUR
    assert (ended.tags, ended.time) == (event.tags, event.time)


def test_rejects_are_counted_by_reason_without_their_numbers() -> None:
    reasons = [
        ("town", "windows of 30 s; town has windows of 60 s"),
        ("town", "windows of 10 s; town has windows of 60 s"),
    ]
    [row] = events.RejectCounts().points(reasons, NOW)
    assert row.tags == {"city": "town", "reason": "windows of ... s; town has windows of ... s"}
    assert row.fields == {"n": 2}


def test_reasons_that_a_sender_invents_make_a_bounded_number_of_series() -> None:
    counts, names = events.RejectCounts(), [f"{a}{b}" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst"]
    points = [p for name in names for p in counts.points([("town", f"device '{name}' is one more than 3")], NOW)]
    assert sum(int(p.fields["n"] or 0) for p in points) == len(names)
    assert len({tuple(p.tags.items()) for p in points}) <= 201
    [again] = counts.points([("town", "device 'aa' is one more than 3")], NOW)
    assert again.tags["reason"] == "device 'aa' is one more than ..."


def hours(table: SeriesTable, device: str, quantity: str, value: float) -> Partials:
    series = table.id_of(Series("town", device, quantity))
    readings = Readings.of([series] * 3, [NOW + i * MINUTE for i in range(3)], [value] * 3)
    return fold(readings, HOUR, table.modulus(readings.series))


@pytest.mark.parametrize(("value", "band"), [(5.0, 1), (5.1, 2), (15.0, 2), (15.1, 3), (140.1, 6)])
def test_every_hour_of_a_pollutant_has_its_band(value: float, band: int) -> None:
    table = SeriesTable()
    found = Partials.concat([hours(table, "air-2", "pm2_5", value), hours(table, "air-2", "temperature", 5.0)])
    [point] = bands(found, table, Calibrations(CITY, table), LISTED)
    assert (point.measurement, point.fields, point.time) == ("hour", {"band": band}, NOW)
    assert point.tags == {"city": "town", "device": "air-2", "quantity": "pm2_5"}


def test_a_band_is_written_when_it_changes_and_every_ten_minutes() -> None:
    points, table = PutPoints(), SeriesTable()
    status = Status(points, CITY, table, Values())
    for value in (5.0, 4.0, 5.1, 5.2, 5.0):
        status.hours(hours(table, "air-2", "pm2_5", value))
    assert points.bands == [("air-2", NOW, band) for band in (1, 2, 1)]
    status.tick(NOW + MINUTE, {})
    status.hours(hours(table, "air-2", "pm2_5", 5.0))
    assert len(points.bands) == 3
    status.tick(NOW + 10 * MINUTE, {})
    status.hours(hours(table, "air-2", "pm2_5", 5.0))
    assert points.bands[3:] == [("air-2", NOW, 1)], "a database that was lost in between has it again"


def test_rows_of_devices_are_whole_every_ten_minutes_and_after_a_put_that_failed() -> None:
    points, fails = PutPoints(), [False]
    status, put = Status(points, CITY, SeriesTable(), Values()), points.put

    def may_fail(given: Iterable[Point]) -> None:
        put(given)
        if fails[0]:
            raise Unavailable("away")

    points.put = may_fail  # type: ignore[method-assign, assignment]

    def devices(minute: int) -> int:
        with suppress(Unavailable):
            status.tick(NOW + minute * MINUTE, {})
        return sum(point.measurement == "device" for point in points.puts[-1])

    assert [devices(minute) for minute in (1, 2, 3)] == [2, 0, 0]
    fails[0] = True
    assert devices(4) == 0
    fails[0] = False
    assert [devices(minute) for minute in (5, 6, 9, 10, 11)] == [2, 0, 0, 2, 0]


def test_what_is_known_at_one_time_is_put_at_once() -> None:
    points = PutPoints()
    status = Status(points, CITY, SeriesTable(), Values())
    status.values([stored("LOCAL:E:PEAK", 7.0, "kW")], ["Device air-2 is new."], NOW)
    status.tick(NOW, {})
    found = [{point.measurement for point in put} for put in points.puts]
    assert found == [{"registry", "event"}, {"kpi", "newest", "figure", "event", "registry"}, {"device", "state"}]


def test_the_band_is_that_of_the_calibrated_mean() -> None:
    table = SeriesTable()
    [point] = bands(hours(table, "air-1", "pm2_5", 10.0), table, Calibrations(CITY, table), LISTED)
    assert point.fields == {"band": 3}  # 20 µg/m³


def test_a_device_that_is_not_registered_has_no_band() -> None:
    """Else anybody's sensor would decide what the board of the city says of its air."""
    table = SeriesTable()
    found = Partials.concat([hours(table, "air-2", "pm2_5", 5.0), hours(table, "stranger", "pm2_5", 900.0)])
    assert [p.tags["device"] for p in bands(found, table, Calibrations(CITY, table), LISTED)] == ["air-2"]


def test_an_hour_without_a_reading_has_no_band() -> None:
    table = SeriesTable()
    found = hours(table, "air-2", "pm2_5", 5.0)
    empty = Partials(
        **{name: getattr(found, name) for name in Partials.__dataclass_fields__} | {"n": np.zeros(1, dtype=np.int64)}
    )
    assert list(bands(empty, table, Calibrations(CITY, table), LISTED)) == []
