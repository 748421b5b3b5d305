"""The expected numbers of the recorded data come out of `cityvitals replay` and `cityvitals kpi show`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.replay import cli, recorded

AIR, CAPITA, SMART = "EN:EN:AQ:1C", "EN:E:E:2C", "EC:ICT:ES:1C"
METERED, ENERGY, SESSIONS = "LOCAL:E:METERED", "LOCAL:EV:ENERGY", "LOCAL:EV:SESSIONS"
UTILISATION = "LOCAL:EV:UTILISATION"
Stores = dict[str, str]


def close(value: float, rel: float = 1e-4) -> Any:
    return pytest.approx(value, rel=rel)


# -- Aberdeen: stations ------------------------------------------------------------------------------------------------


def test_the_air_of_aberdeen_2018_is_the_mean_of_the_stations_with_enough_hours(replayed: Stores) -> None:
    found = cli.values("aberdeen", replayed["aberdeen"], "2018")
    for row in recorded.table("aberdeen_2018_city"):
        value = found[AIR, row["quantity"]]
        assert value["value"] == close(float(row["mean_of_station_means"]))
        assert (value["n_devices"], value["unit"], value["status"]) == (int(row["stations_used"]), "ug/m3", "final")


def test_a_station_just_under_the_capture_rule_is_left_out_by_name(replayed: Stores) -> None:
    notes = cli.values("aberdeen", replayed["aberdeen"], "2018")[AIR, "pm10"]["notes"]
    assert "market-street-2 74.76 %" in notes
    assert "king-street 68.06 %" in notes


def test_coverage_is_the_mean_capture_of_the_stations(replayed: Stores) -> None:
    found = cli.values("aberdeen", replayed["aberdeen"], "2018")
    captures: dict[str, list[float]] = {}
    for row in recorded.table("aberdeen_2018"):
        captures.setdefault(row["quantity"], []).append(float(row["capture_pct"]))
    for quantity, shares in captures.items():
        assert 100 * found[AIR, quantity]["coverage"] == pytest.approx(sum(shares) / len(shares), abs=0.01)


def test_what_no_station_measures_has_no_value_and_says_why(replayed: Stores) -> None:
    value = cli.values("aberdeen", replayed["aberdeen"], "2018")[AIR, "so2"]
    assert (value["value"], value["status"], value["coverage"]) == (None, "not_applicable", 0.0)
    assert "no station" in value["notes"]


@pytest.mark.parametrize("period", ["2017", "2019", "2017-Q4", "2016-02-29"])
def test_a_period_without_readings_has_no_value(replayed: Stores, period: str) -> None:
    found = cli.values("aberdeen", replayed["aberdeen"], period)
    assert {key: v["value"] for key, v in found.items() if key[0] == AIR} == dict.fromkeys(
        [(AIR, part) for part in ("pm2_5", "pm10", "no2", "so2", "o3")]
    )


def test_a_month_of_summer_time_is_a_month_of_the_city(replayed: Stores) -> None:
    def july(row: list[str]) -> bool:
        local = datetime.fromisoformat(row[0]).astimezone(ZoneInfo("Europe/London"))
        return (local.year, local.month) == (2018, 7) and row[2] == "no2"

    stations: dict[str, list[float]] = {}
    for _, device, _, value, _ in recorded.rows(recorded.STATIONS, july)[1:]:
        stations.setdefault(device, []).append(float(value))
    means = [sum(v) / len(v) for v in stations.values() if len(v) >= 0.75 * 744]
    found = cli.values("aberdeen", replayed["aberdeen"], "2018-07")[AIR, "no2"]
    assert found["value"] == close(sum(means) / len(means), 1e-9)
    assert (found["start"], found["end"]) == ("2018-06-30T23:00:00Z", "2018-07-31T23:00:00Z")
    assert found["n_devices"] == len(means)


# -- London: meters ----------------------------------------------------------------------------------------------------

WINTER = ("2013-01", "2013-02", "2013-11", "2013-12")
SUMMER = ("2013-03", "2013-04", "2013-05", "2013-06", "2013-07", "2013-08", "2013-09", "2013-10")


def test_the_metered_year_of_london(replayed: Stores) -> None:
    total = recorded.expected("lcl_even")["energy_total"]
    found = cli.values("lcl", replayed["lcl"], "2013")
    assert found[METERED, ""]["value"] == close(total)
    assert (found[METERED, ""]["unit"], found[METERED, ""]["n_devices"]) == ("kWh", 50)
    assert found[CAPITA, ""]["value"] == close(total / 8173941)


def test_coverage_of_the_metered_year_is_the_share_of_half_hours_that_came(replayed: Stores) -> None:
    expected = recorded.expected("lcl_even")["rows"] / (50 * 17520)
    assert cli.values("lcl", replayed["lcl"], "2013")[METERED, ""]["coverage"] == close(expected, 1e-9)


@pytest.mark.parametrize("month", WINTER)
def test_a_winter_month_of_london(replayed: Stores, month: str) -> None:
    value = cli.values("lcl", replayed["lcl"], month)[METERED, ""]["value"]
    assert value == close(recorded.expected("lcl_even")[f"energy_{month}"])


def test_the_other_months_of_london_are_civil_months(replayed: Stores) -> None:
    zone, sums = ZoneInfo("Europe/London"), dict.fromkeys(SUMMER, 0.0)
    label: dict[str, str] = {}
    for time, _, _, value, _ in recorded.rows(recorded.METERS)[1:]:
        if time not in label:
            label[time] = datetime.fromisoformat(time).astimezone(zone).strftime("%Y-%m")
        if label[time] in sums:
            sums[label[time]] += float(value)
    gmt = recorded.expected("lcl_even")
    for month in SUMMER:
        value = cli.values("lcl", replayed["lcl"], month)[METERED, ""]["value"]
        assert value == close(sums[month], 1e-9)
        assert value == close(gmt[f"energy_{month}"], 2e-3)


def test_no_number_of_smart_meters_is_made_up(replayed: Stores) -> None:
    value = cli.values("lcl", replayed["lcl"], "2013")[SMART, ""]
    assert (value["value"], value["n_devices"]) == (None, 50)
    assert "electricity_meters" in value["notes"]


# -- Trondheim and Caltech: charging -----------------------------------------------------------------------------------


@pytest.mark.parametrize("month", ["2018-12", *(f"2019-{m:02}" for m in range(1, 13)), "2020-01"])
def test_a_charging_month_of_trondheim(replayed: Stores, month: str) -> None:
    expected = recorded.expected("ev_trondheim")
    found = cli.values("trondheim", replayed["trondheim"], month)
    assert found[ENERGY, ""]["value"] == close(expected[f"energy_local_plug_in_month_{month}"])
    assert found[SESSIONS, ""]["value"] == expected[f"sessions_local_plug_in_month_{month}"]


def test_the_charging_years_of_trondheim_add_up(replayed: Stores) -> None:
    found = [cli.values("trondheim", replayed["trondheim"], year) for year in ("2018", "2019", "2020")]
    expected = recorded.expected("ev_trondheim")
    assert sum(v[ENERGY, ""]["value"] for v in found) == close(expected["energy_total"])
    assert sum(v[SESSIONS, ""]["value"] for v in found) == expected["sessions"]
    # Utilisation is of the time the chargers were there; the coverage is that time's share of the year.
    used = [v[UTILISATION, ""]["value"] * v[UTILISATION, ""]["coverage"] * 24 / 100 for v in found]
    hours = sum(share * 24 * days for share, days in zip(used, (365, 365, 366), strict=True))
    assert hours == close(expected["connected_hours_zone_aware"])


@pytest.mark.parametrize("month", ["2021-05", "2021-06", "2021-07", "2021-08", "2021-09"])
def test_a_charging_month_of_caltech_is_local(replayed: Stores, month: str) -> None:
    found = cli.values("acn", replayed["acn"], month)
    assert found[ENERGY, ""]["value"] == close(recorded.expected("ev_acn")[f"energy_local_month_{month}"])


def test_the_sessions_of_caltech(replayed: Stores) -> None:
    expected, store = recorded.expected("ev_acn"), replayed["acn"]
    year = cli.values("acn", store, "2021")
    assert year[SESSIONS, ""]["value"] == expected["sessions"]
    assert year[ENERGY, ""]["value"] == close(expected["energy_total"])
    there = 365 * 24 * 42 * year[UTILISATION, ""]["coverage"]  # hours in which the chargers were there
    assert there * year[UTILISATION, ""]["value"] / 100 == close(expected["connected_hours"])
    assert year[ENERGY, ""]["status"] == "partial"
    assert cli.values("acn", store, "2021-06")[SESSIONS, ""]["value"] == expected["sessions_local_month_2021-06"]
