"""Outage logs by the command line: the recorded states, corrected lines, lines that cannot be used."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kpi_derivation.rules.outages import QUANTITIES
from tests.kpi_derivation.golden.shared import outage_events
from tests.replay import cli, recorded

HEAD = "start,end,device,customers,id\n"
ZONES = {"MI": "America/Detroit", "TX": "America/Chicago", "WA": "America/Los_Angeles"}


def city(folder: Path, zone: str, customers: float, limit: int = 5) -> Path:
    path = folder / "c.toml"
    path.write_text(
        f'[city]\nid = "c"\nname = "C"\ncountry = "US"\ntimezone = "{zone}"\nelectricity_customers = {customers}\n'
        f'[rules]\nsustained_interruption_min = {limit}\n[[device]]\nid = "log"\nkind = "outage_log"\n'
        f"quantities = {list(QUANTITIES)}\n"
    )
    return path


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_recorded_outages_of_a_state_by_their_log(number: int, tmp_path: Path) -> None:
    expected = recorded.table("outages_state_year")[number]
    zone = ZONES[expected["state"]]
    mine = [e for e in outage_events() if (e["state"], e["year"]) == (expected["state"], int(expected["year"]))]
    lines = []
    for i, e in enumerate(mine):
        start = e["start"].replace(tzinfo=ZoneInfo(zone)).astimezone(ZoneInfo("UTC"))
        end = start + timedelta(minutes=e["minutes"])
        lines.append(f"{start.isoformat()},{end.isoformat()},log,{e['customers']},{i}")
    (tmp_path / "log.csv").write_text(HEAD + "\n".join(lines) + "\n")
    store = f"sqlite:///{tmp_path}/c.db"
    cli.replay(city(tmp_path, zone, float(expected["customers_served"])), store, tmp_path / "log.csv", how=cli.here)
    found = cli.values("c", store, expected["year"])
    assert found["EC:I:ES:1C", ""]["value"] == pytest.approx(float(expected["saifi"]), abs=5e-7)
    assert found["EC:I:ES:2C", ""]["value"] == pytest.approx(float(expected["caidi_min"]), abs=5e-5)
    assert found["LOCAL:ES:SAIDI", "all"]["value"] == pytest.approx(float(expected["saidi_min"]), abs=5e-5)


def test_a_corrected_line_replaces_the_one_before_in_every_class(tmp_path: Path) -> None:
    store, place = f"sqlite:///{tmp_path}/c.db", city(tmp_path, "UTC", 100, 3)
    for minutes, customers in ((4, 50), (40, 20)):
        line = f"2020-03-01T10:00:00Z,2020-03-01T10:{minutes:02}:00Z,log,{customers},storm-1\n"
        (tmp_path / "log.csv").write_text(HEAD + line)
        cli.replay(place, store, tmp_path / "log.csv", how=cli.here)
    found = cli.values("c", store, "2020")
    assert found["EC:I:ES:1C", ""]["value"] == pytest.approx(0.2)
    assert found["EC:I:ES:2C", ""]["value"] == pytest.approx(40.0)


def test_lines_without_an_interruption_are_rejected_with_the_reason(tmp_path: Path) -> None:
    ten = "2020-03-01T10:00:00Z"
    lines = [f"{ten},,log,5,a", f"{ten},2020-03-01T09:00:00Z,log,5,b"]
    lines += [f"{ten},2020-03-01T11:00:00Z,log,0,c", f"{ten},2020-03-01T11:00:00Z,log,7,d"]
    (tmp_path / "log.csv").write_text(HEAD + "\n".join(lines) + "\n")
    store = f"sqlite:///{tmp_path}/c.db"
    summary = cli.replay(city(tmp_path, "UTC", 100), store, tmp_path / "log.csv", how=cli.here)
    assert (summary["rows read"], summary["rejected"]) == (4, 3)
    assert cli.values("c", store, "2020")["EC:I:ES:1C", ""]["value"] == pytest.approx(0.07)
    output = cli.here("rejects", "list", "--buffer", tmp_path / "c.db")
    assert all(
        reason in output for reason in ("has no length", "ends before it starts", "not a positive number of customers")
    )
