"""Shapes of recorded data that were read wrong once: old years in ppb, a month for a year, years without an outage."""

from __future__ import annotations

import csv
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kpi_derivation.rules.outages import QUANTITIES
from tests.kpi_derivation.golden.shared import outage_events
from tests.replay import cli, recorded

ROADSIDE = """
[city]
id = "road"
name = "Road"
country = "GB"
timezone = "Europe/London"
[[device]]
id = "kerb"
kind = "air_reference"
quantities = ["no2"]
interval_s = 3600
{more}
"""
PUBLISHER, EU = 1.9, 1.9125  # µg/m³ of NO2 per ppb: of the Verification Manual, and of the EU at 20 °C
WHO_HOUR = 200.0


def roadside(folder: Path) -> tuple[Path, dict[int, list[float]]]:
    """Hourly ppb of NO2 at a kerb in 2000 and 2003, one hour in ten missing; the values by civil year of London."""
    chance, lines, found = random.Random(11), ["time,device,quantity,value,unit"], dict[int, list[float]]()
    for year in (2000, 2003):
        hour = datetime(year, 1, 1, tzinfo=UTC)
        while hour.year == year:
            if chance.random() < 0.9:
                value = round(max(0.1, chance.gauss(57.0, 24.0)), 1)
                lines.append(f"{hour:%Y-%m-%dT%H:%M:%SZ},kerb,no2,{value},ppb")
                found.setdefault(year, []).append(value)
            hour += timedelta(hours=1)
    path = folder / "kerb.csv"
    path.write_text("\n".join(lines) + "\n")
    return path, found


@pytest.mark.parametrize("declared", [True, False])
def test_hourly_ppb_of_2000_and_2003_have_their_mean_and_their_hours_over_the_limit(
    declared: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Declared as volume (`in_ppb`), the limit is held with the EU's conversion; else a warning says that it is not."""
    path, found = roadside(tmp_path)
    city = tmp_path / "road.toml"
    city.write_text(ROADSIDE.format(more='in_ppb = ["no2"]' if declared else ""))
    store = f"sqlite:///{tmp_path}/road.db"
    said = cli.here("replay", path, "--city", city, "--store", store)
    assert f"{sum(map(len, found.values())):,}" in said  # every row is stored
    warned = [r.getMessage() for r in caplog.records if "in_ppb" in r.getMessage()]
    entry = 'kerb of road sends no2 in ppb, which its [[device]] entry does not say: add in_ppb = ["no2"]'
    assert [entry in text for text in warned] == ([] if declared else [True])
    for year, values in found.items():
        kpis = cli.values("road", store, str(year))
        mean = PUBLISHER * sum(values) / len(values)
        of_year = kpis["EN:EN:AQ:1C", "no2"]
        assert of_year["value"] == pytest.approx(mean, rel=1e-9)
        assert of_year["coverage"] == pytest.approx(len(values) / (24 * (366 if year == 2000 else 365)), rel=1e-9)
        assert of_year["status"] == "final"
        over = sum(v * (EU if declared else PUBLISHER) > WHO_HOUR for v in values)
        assert kpis["LOCAL:AQ:EU_DAYS", "no2_hours"]["value"] == over
    assert sum(v * EU > WHO_HOUR for v in found[2000]) > sum(v * PUBLISHER > WHO_HOUR for v in found[2000]) > 0


def test_one_month_of_sessions_is_a_part_of_the_year(tmp_path: Path) -> None:
    zone, energies, days = ZoneInfo("Europe/Oslo"), list[float](), dict[str, list[date]]()
    rows = recorded.rows(recorded.TRONDHEIM)
    kept = []
    for row in rows[1:]:
        start = datetime.fromisoformat(row[0].replace("Z", "+00:00")).astimezone(zone)
        if (start.year, start.month) == (2019, 1):
            kept.append(row)
            energies.append(float(row[3]))
            days.setdefault(row[2], []).append(start.date())
    store = f"sqlite:///{tmp_path}/t.db"
    file = recorded.write(tmp_path / "january.csv", rows[0], kept)
    cli.replay(recorded.city("trondheim"), store, file, how=cli.here)
    year, month = (cli.values("trondheim", store, p) for p in ("2019", "2019-01"))
    alive = sum((max(d) - min(d)).days + 1 for d in days.values())
    for code, value in (("LOCAL:EV:ENERGY", sum(energies)), ("LOCAL:EV:SESSIONS", float(len(energies)))):
        assert year[code, ""]["value"] == pytest.approx(value, rel=1e-9)
        assert (year[code, ""]["status"], year[code, ""]["reason"]) == ("partial", "partial_period")
        assert year[code, ""]["coverage"] == pytest.approx(alive / (24 * 365), rel=1e-9)  # 24 chargers
        assert month[code, ""]["value"] == pytest.approx(value, rel=1e-9)
        assert month[code, ""]["coverage"] == pytest.approx(alive / (24 * 31), rel=1e-9)
    text = cli.here("kpi", "explain", "LOCAL:EV:ENERGY", "--city", "trondheim", "--store", store, "--period", "2019")
    assert "partial" in text
    trend = cli.here(
        "kpi", "trend", "--city", "trondheim", "--store", store, "--code", "LOCAL:EV:ENERGY", "--format", "json"
    )
    assert "2019" not in trend  # no trend is made of a part


SPAN = range(2000, 2017)


@pytest.mark.parametrize(("state", "zone"), [("TX", "America/Chicago"), ("WA", "America/Los_Angeles")])
def test_years_of_a_log_without_an_interruption_are_zero_and_years_outside_are_nothing(
    state: str, zone: str, tmp_path: Path
) -> None:
    customers = 10_000_000.0
    sums = dict.fromkeys(SPAN, 0.0)
    lines = ["start,end,device,customers,id"]
    for i, e in enumerate(e for e in outage_events() if e["state"] == state and e["start"].year in SPAN):
        start = e["start"].replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        if e["minutes"] > 5 and e["customers"] > 0:
            sums[e["start"].year] += e["customers"]
        lines.append(
            f"{start.isoformat()},{(start + timedelta(minutes=e['minutes'])).isoformat()},log,{e['customers']},{i}"
        )
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    city = tmp_path / "c.toml"
    city.write_text(
        f'[city]\nid = "c"\nname = "C"\ncountry = "US"\ntimezone = "{zone}"\nelectricity_customers = {customers}\n'
        f'[[device]]\nid = "log"\nkind = "outage_log"\nsince = "2000-01-01"\nuntil = "2016-12-31"\n'
        f"quantities = {list(QUANTITIES)}\n"
    )
    store = f"sqlite:///{tmp_path}/c.db"
    cli.replay(city, store, tmp_path / "log.csv", how=cli.here)
    assert [y for y in SPAN if not sums[y]]  # there are such years
    exported = tmp_path / "years.csv"
    cli.here("kpi", "export", "--city", "c", "--store", store, "--format", "csv", "--out", exported)
    with exported.open() as file:
        rows = {(r["code"], r["period"]): r for r in csv.DictReader(file)}
    for year in SPAN:
        found = cli.values("c", store, str(year))["EC:I:ES:1C", ""]
        assert found["value"] == pytest.approx(sums[year] / customers, rel=1e-12)
        assert (found["status"], found["coverage"]) == ("final", 1.0)
        assert float(rows["EC:I:ES:1C", str(year)]["value"]) == pytest.approx(sums[year] / customers, rel=1e-12)
    for year in (1995, 1999, 2017, 2020):
        found = cli.values("c", store, str(year))["EC:I:ES:1C", ""]
        assert (found["value"], found["status"], found["reason"]) == (None, "insufficient", "outside_log")
