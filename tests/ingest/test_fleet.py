"""Devices and their state as rows for dashboards: what is silent, since when, and what needs a person."""

from __future__ import annotations

import math
from typing import Any

from adapters.points import Newest, Point
from ingest.fleet import TROUBLE, Fleet
from registry.city import City
from telemetry.partials import Partials, fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE

NOW = 1_767_225_600_000  # 2026-01-01
CITY = City.model_validate(
    {
        "city": {"id": "town", "name": "Town", "country": "NO", "timezone": "Europe/Oslo"},
        "device": [
            {"id": "air-1", "site": "Square", "kind": "air_lowcost", "quantities": ["pm2_5"], "lat": 59.9, "lon": 10.7},
            {"id": "meter-1", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600},
            {"id": "charger-1", "kind": "ev_charger", "quantities": ["connector_state"]},
            {"id": "kiosk-1", "kind": "ev_charger", "quantities": ["session_energy"]},
        ],
    }
)


def heard(device: str, quantity: str, ago: int, value: float = 1.0, n: int = 120) -> Newest:
    return Newest(device, quantity, NOW - ago, value, n)


def rows(fleet: Fleet) -> dict[str, dict[str, Any]]:
    return {point.tags["device"]: point.fields for point in fleet.rows()}


def troubles(fleet: Fleet) -> dict[str, str]:
    return {device: TROUBLE[fields["trouble"]] for device, fields in rows(fleet).items()}


def windows(table: SeriesTable, device: str, quantity: str, times: list[int], value: float = 1.0) -> Partials:
    series = table.id_of(Series("town", device, quantity))
    readings = Readings.of([series] * len(times), times, [value] * len(times))
    return fold(readings, MINUTE, table.modulus(readings.series))


def test_a_device_is_silent_after_three_of_its_intervals_and_at_least_fifteen_minutes() -> None:
    known = [heard("air-1", "pm2_5", 16 * MINUTE), heard("meter-1", "energy_delta", 170 * MINUTE, n=1)]
    fleet = Fleet(CITY, known)
    fleet.judge(NOW)
    assert troubles(fleet) == {
        "air-1": "silent", "meter-1": "none", "charger-1": "never heard", "kiosk-1": "never heard"
    }  # fmt: skip
    fleet.judge(NOW + 11 * MINUTE)
    assert troubles(fleet)["meter-1"] == "silent"


def test_a_device_that_only_sends_events_may_be_quiet_for_a_week() -> None:
    fleet = Fleet(CITY, [heard("kiosk-1", "session_energy", 6 * DAY)])
    fleet.judge(NOW)
    assert troubles(fleet)["kiosk-1"] == "none"
    fleet.judge(NOW + 2 * DAY)
    assert troubles(fleet)["kiosk-1"] == "silent for a day"


def test_a_device_silent_since_last_year_is_listed_with_its_age() -> None:
    fleet = Fleet(CITY, [heard("air-1", "pm2_5", 400 * DAY)])
    fleet.judge(NOW)
    row = rows(fleet)["air-1"]
    assert TROUBLE[row["trouble"]] == "silent for a day"
    assert row["since"] == row["heard"] == NOW - 400 * DAY


def test_what_was_heard_once_an_hour_is_not_silent_after_fifteen_minutes() -> None:
    fleet = Fleet(CITY, [heard("air-1", "pm2_5", 2 * HOUR, n=1)])
    fleet.judge(NOW)
    assert troubles(fleet)["air-1"] == "none"


def test_who_fell_silent_and_who_is_back_is_reported_once() -> None:
    fleet = Fleet(CITY, [heard("air-1", "pm2_5", 0)])
    assert fleet.judge(NOW) == ([], [])
    assert fleet.judge(NOW + HOUR) == (["air-1"], [])
    assert fleet.judge(NOW + 2 * HOUR) == ([], [])
    fleet._note(Newest("air-1", "pm2_5", NOW + 2 * HOUR, 1.0, 1))
    assert fleet.judge(NOW + 2 * HOUR + MINUTE) == ([], ["air-1"])


def test_a_connector_keeps_its_state_and_since_when_over_a_restart() -> None:
    known = [
        heard("charger-1", "connector_state", MINUTE, value=3.0),
        Newest("charger-1", "", 0, float(NOW - 5 * HOUR), 0),
    ]
    fleet = Fleet(CITY, known)
    fleet.judge(NOW)
    row = rows(fleet)["charger-1"]
    assert TROUBLE[row["trouble"]] == "connector fault"
    assert row["since"] == row["state_since"] == NOW - 5 * HOUR
    fleet._note(heard("charger-1", "connector_state", 0, value=2.0))
    fleet.judge(NOW)
    assert rows(fleet)["charger-1"]["state_since"] == NOW
    assert troubles(fleet)["charger-1"] == "none"


def test_the_worst_that_is_wrong_is_shown() -> None:
    fleet = Fleet(CITY, [heard("air-1", q, 0, v) for q, v in (("pm2_5", 9.0), ("rssi", -90.0), ("ring_fill", 80.0))])
    fleet.judge(NOW)
    assert troubles(fleet)["air-1"] == "flash ring filling"
    fleet.states["air-1"].suspect = 3
    fleet.judge(NOW)
    assert troubles(fleet)["air-1"] == "suspect"
    fleet.judge(NOW + DAY)
    assert troubles(fleet)["air-1"] == "silent"


def test_what_the_gateway_counts_about_a_device_is_no_sign_of_it() -> None:
    fleet = Fleet(CITY, [heard("air-1", "ledger_missing", 0, 4.0), heard("air-1", "pm2_5", HOUR)])
    fleet.judge(NOW)
    row = rows(fleet)["air-1"]
    assert row["heard"] == NOW - HOUR
    assert row["ledger_missing"] == 4.0


def test_gateways_and_unregistered_devices_have_rows_and_are_not_counted() -> None:
    known = [heard("gw-1", "gw_lag", 0, 3.0), heard("stray", "pm2_5", 0), Newest("gone", "", 0, math.nan, 0)]
    fleet = Fleet(CITY, known)
    fleet.judge(NOW)
    kinds = {device: fields["kind"] for device, fields in rows(fleet).items()}
    assert (kinds["gw-1"], kinds["stray"], kinds["gone"]) == ("gateway", "unregistered", "unregistered")
    assert fleet.summary(NOW).fields["devices"] == 4


def test_the_city_in_numbers() -> None:
    fleet = Fleet(CITY, [heard("air-1", "pm2_5", HOUR), heard("charger-1", "connector_state", 0, value=2.0)])
    fleet.judge(NOW)
    point: Point = fleet.summary(NOW + 7)
    assert (point.measurement, point.tags, point.time) == ("state", {"city": "town"}, NOW)
    expected = {"devices": 4, "silent": 1, "silent_for_a_day": 0, "never_heard": 2, "not_heard": 3, "in_trouble": 3}
    assert {name: point.fields[name] for name in expected} == expected
    assert (point.fields["charging"], point.fields["fault"], point.fields["newest"]) == (1, 0, NOW)


def test_the_newest_window_of_each_series_counts() -> None:
    table, fleet = SeriesTable(), Fleet(CITY, [])
    fleet.take(windows(table, "air-1", "pm2_5", [NOW, NOW + 30_000, NOW + MINUTE]), table)
    fleet.judge(NOW + 2 * MINUTE)
    row = rows(fleet)["air-1"]
    assert (row["heard"], row["arrived"], row["silent"]) == (NOW + MINUTE, NOW + 2 * MINUTE, 0)


def test_what_is_in_no_kpi_has_a_row_with_advice() -> None:
    fleet = Fleet(CITY, [])
    series = [Series("town", d, q) for d, q in (("air-01", "pm2_5"), ("meter-1", "power"), ("air-1", "pm2_5"))]
    table = SeriesTable(series)
    readings = Readings.of([0, 1, 2], [NOW] * 3, [5.0] * 3)
    fleet.take(fold(readings, MINUTE, table.modulus(readings.series)), table)
    found = {d: (f["in_no_kpi"], f["advice"].split("To register it: ")[-1]) for d, f in rows(fleet).items()}
    assert found == {
        "air-01": (1, "cityvitals device add CITY.toml air-01 --like air-1 (or let it send as air-1)"),
        "meter-1": (1, "cityvitals device add CITY.toml meter-1 --quantity power"),
        "air-1": (0, ""), "charger-1": (0, ""), "kiosk-1": (0, ""),
    }  # fmt: skip


def test_a_change_of_state_within_one_batch_is_noted_with_its_time() -> None:
    """A backlog comes a day a batch: in fault at the end of the first day; cured in the first hour of the second."""
    table = SeriesTable()
    series = table.id_of(Series("town", "charger-1", "connector_state"))
    begun = Newest("charger-1", "", 0, float(NOW - 9 * DAY), 0)
    fleet = Fleet(CITY, [heard("charger-1", "connector_state", 3 * DAY, value=3.0), begun])
    for ago, states in ((2 * DAY, [0.0] * 22 + [3.0] * 2), (DAY, [3.0, 2.0, *[0.0] * 22])):
        times = list(range(NOW - ago, NOW - ago + DAY, HOUR))
        readings = Readings.of([series] * 24, times, states)
        fleet.take(fold(readings, MINUTE, table.modulus(readings.series)), table)
        fleet.judge(NOW)
        assert rows(fleet)["charger-1"]["state_since"] == times[states.index(states[-1])]


def test_of_a_row_only_what_changed_is_given_again() -> None:
    table, fleet = SeriesTable(), Fleet(CITY, [heard("air-1", "rssi", 0, -60.0), heard("air-1", "pm2_5", MINUTE)])
    stored: dict[str, dict[str, Any]] = {}

    def put(now: int, whole: bool = False) -> dict[str, set[str]]:
        fleet.judge(now)
        given = {
            point.tags["device"]: {k: v for k, v in point.fields.items() if v is not None}
            for point in fleet.rows(whole)
        }
        for device, fields in given.items():
            stored.setdefault(device, {}).update(fields)
        return {device: set(fields) for device, fields in given.items()}

    everything = put(NOW)
    assert everything.keys() == {"air-1", "meter-1", "charger-1", "kiosk-1"}
    assert put(NOW) == {}
    fleet.take(windows(table, "air-1", "pm2_5", [NOW + MINUTE]), table)
    assert put(NOW + MINUTE) == {"air-1": {"heard", "arrived", "since", "rssi"}}
    assert put(NOW + HOUR)["air-1"] > {"silent", "trouble", "kind", "site", "lat", "lon"}
    fleet.states["air-1"].suspect = 3
    assert put(NOW + HOUR).keys() == {"air-1"}
    for value in (-2.0, -1.0, -2.0):  # numbers of one hash
        fleet.take(windows(table, "air-1", "rssi", [NOW + HOUR], value), table)
        assert put(NOW + HOUR).keys() == {"air-1"}
    assert stored == {d: {k: v for k, v in f.items() if v is not None} for d, f in rows(fleet).items()}
    assert put(NOW + HOUR, whole=True).keys() == everything.keys()
