"""Recorded cities: what the command line stored, against SQL straight from the files."""

from __future__ import annotations

import tomllib

import pytest

pytest.importorskip("duckdb")

from tests.kpi_derivation.independent.sql import Sheet
from tests.replay import cli, recorded
from tests.replay.conftest import replayed

__all__ = ["replayed"]
AIR = "EN:EN:AQ:1C"
PERIODS = ("2018", "2018-01", "2018-03", "2018-07", "2018-10", "2018-12", "2018-03-25", "2018-10-28", "2018-06-15")


def ids(city: str, kind: str) -> list[str]:
    devices = tomllib.loads(recorded.city(city).read_text())["device"]
    return [d["id"] for d in devices if d["kind"] == kind]


@pytest.fixture(scope="module")
def aberdeen() -> Sheet:
    sheet = Sheet("Europe/London")
    sheet.load(recorded.long(recorded.STATIONS))
    sheet.db.execute("DELETE FROM r WHERE value < -15 OR value > 998.9 AND quantity = 'pm2_5'")
    return sheet


@pytest.mark.parametrize("period", PERIODS)
def test_the_air_of_aberdeen(aberdeen: Sheet, replayed: dict[str, str], period: str) -> None:
    found = cli.values("aberdeen", replayed["aberdeen"], period)
    for quantity in ("no2", "o3", "pm10", "pm2_5"):
        expected = aberdeen.air(quantity, ids("aberdeen", "air_reference"), period, 60, 0.75)
        value = found[AIR, quantity]["value"]
        assert value == (None if expected is None else pytest.approx(expected, rel=1e-9)), quantity


@pytest.mark.parametrize(("code", "part", "limit"), [("WHO_DAYS", "pm10", 45), ("WHO_DAYS", "pm2_5", 15),
                                                     ("WHO_DAYS", "no2", 25), ("EU_DAYS", "pm10", 50)])  # fmt: skip
def test_the_days_over_limits_of_aberdeen(
    aberdeen: Sheet, replayed: dict[str, str], code: str, part: str, limit: float
) -> None:
    value = cli.values("aberdeen", replayed["aberdeen"], "2018")[f"LOCAL:AQ:{code}", part]
    named = dict(n.rsplit(" ", 1) for n in value["notes"].split("ug/m3: ")[1].split("; ")[0].split(", "))
    assert named
    for device, days in named.items():
        assert int(days) == aberdeen.days_over(part, device, "2018", limit)


def test_the_eight_hour_means_of_aberdeen(aberdeen: Sheet, replayed: dict[str, str]) -> None:
    for code, limit in (("LOCAL:AQ:WHO_DAYS", 100), ("LOCAL:AQ:EU_DAYS", 120)):
        value = cli.values("aberdeen", replayed["aberdeen"], "2018")[code, "o3"]["value"]
        assert value == aberdeen.eight_hours_over("o3", "errol-place", "2018", limit)


@pytest.mark.parametrize("period", ["2013", "2013-01", "2013-03", "2013-10", "2013-03-31", "2013-10-27"])
def test_the_energy_of_london(replayed: dict[str, str], period: str) -> None:
    sheet = Sheet("Europe/London")
    sheet.load(recorded.long(recorded.METERS))
    expected = sheet.total("energy_delta", ids("lcl", "electricity_meter"), period)
    value = cli.values("lcl", replayed["lcl"], period)["LOCAL:E:METERED", ""]["value"]
    assert value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("city", "name", "zone", "periods"),
    [
        ("trondheim", recorded.TRONDHEIM, "Europe/Oslo", ("2018", "2019", "2019-03", "2019-10", "2019-10-27")),
        ("acn", recorded.ACN, "America/Los_Angeles", ("2021", "2021-05", "2021-06", "2021-09")),
    ],
)
def test_the_sessions_of_a_city(
    replayed: dict[str, str], city: str, name: str, zone: str, periods: tuple[str, ...]
) -> None:
    sheet = Sheet(zone)
    sheet.db.execute(
        "INSERT INTO r SELECT start::TIMESTAMPTZ, device, 'session', energy_kwh FROM read_csv(?, header=true,"
        " columns={'start':'TEXT','end':'TEXT','device':'TEXT','energy_kwh':'DOUBLE','user_hash':'TEXT'})",
        [str(recorded.long(name))],
    )
    for period in periods:
        found = cli.values(city, replayed[city], period)
        expected = sheet.total("session", ids(city, "ev_charger"), period)
        assert found["LOCAL:EV:ENERGY", ""]["value"] == pytest.approx(expected, rel=1e-9)
