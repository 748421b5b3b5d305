"""The planning commands as a user runs them, and what they say to wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cityvitals.cli.main import app
from telemetry.errors import UsageError
from tests.planning import town


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    town.stored(folder)[0].close()
    s = town.sessions()
    lines = ["start,end,device,energy_kwh,user_hash"]
    from telemetry.periods import iso

    for a, b, kwh, u in zip(s.start.tolist(), s.end.tolist(), s.kwh.tolist(), s.user.tolist(), strict=True):
        lines.append(f"{iso(a)},{iso(b)},garage,{kwh},{s.users[u]}")
    lines.append("not-a-time,,garage,5,x")
    (folder / "sessions.csv").write_text("\n".join(lines) + "\n")
    (folder / "cars.toml").write_text(
        '[scenario]\nname = "half"\ndraws = 10\nsessions = "sessions.csv"\n\n'
        '[[transform]]\nkind = "ev_share"\nshare = 0.5\nleast_kwh = 1\n'
    )
    return folder


def ran(place: Path, *words: str) -> str:
    store = f"sqlite:///{place / 'town.db'}"
    found = CliRunner().invoke(app, [*words, "--city", "town", "--store", store], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return str(found.output)


def test_plan_charging_prints_the_plan_and_the_rows_left_out(place: Path) -> None:
    words = ["plan", "charging", "--points", "6", "--connection", "63A", "--sessions", str(place / "sessions.csv")]
    words += ["--period", "2019-01", "--meter", "meter-0", "--least-kwh", "1", "--draws", "20"]
    text = ran(place, *words)
    assert "6 charging points of 11 kW on a connection of 41.5 kW" in text
    assert "->" in text
    assert "left out: sessions.csv, line" in text
    plain = json.loads(ran(place, *words, "--format", "json"))
    assert plain["base_peak_kw"] == pytest.approx(town.load(0).max() * 4)
    assert ran(place, *words) == text


def test_plan_charging_without_sessions_says_on_what_it_rests(place: Path) -> None:
    words = ["plan", "charging", "--points", "6", "--connection", "63A", "--period", "2019-01"]
    assert "recorded sessions give a better plan" in ran(place, *words)


def test_plan_scenario_shows_measured_and_planned(place: Path) -> None:
    words = ["plan", "scenario", str(place / "cars.toml"), "--period", "2019-01"]
    text = ran(place, *words)
    assert "scenario: planned values, not measured" in text
    assert "LOCAL:E:PEAK" in text
    assert "3 cars at 11 kW, drawn from 12 recorded users" in text
    plain = json.loads(ran(place, *words, "--format", "json"))
    peak = next(v for v in plain["values"] if v["code"] == "LOCAL:E:PEAK")
    assert peak["p5"] <= peak["p50"] <= peak["p95"]
    assert peak["method"].endswith("+ scenario")


def test_a_measure_needs_another_place_as_reference(place: Path) -> None:
    words = ["measure", "change", "--site", "street", "--quantity", "no2", "--period", "2019-01"]
    with pytest.raises(UsageError, match="The reference is the site itself"):
        ran(place, *words, "--reference", "street")
    with pytest.raises(UsageError, match="weeks have values; 16 are needed"):
        ran(place, *words, "--reference", "park")
    answer = CliRunner().invoke(app, [*words, "--city", "town", "--store", f"sqlite:///{place / 'town.db'}"])
    assert answer.exit_code == 2
    assert "--reference" in answer.output


def test_a_forecast_of_a_month_of_history_is_refused(place: Path) -> None:
    with pytest.raises(UsageError, match="a forecast needs at least 1344"):
        ran(place, "forecast", "--at", "2019-02-01")
    with pytest.raises(UsageError, match="would lie in the past"):
        ran(place, "forecast", "--at", "2022-02-01")


def test_the_peak_so_far(place: Path) -> None:
    assert "Highest interval of the month so far" in ran(place, "forecast", "--peak", "--at", "2019-01-20")


def test_the_kinds_of_transforms_are_listed() -> None:
    text = CliRunner().invoke(app, ["plan", "transforms"]).output
    for kind in ("ev_share", "pv", "battery", "heat_pump", "managed", "tariff_sync", "saving", "street", "grid_factor"):
        assert f"{kind}: " in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[scenario]\nnaem = 'x'\n", "'naem' is not an option of"),
        ("[scenaro]\n", "'scenaro' is not part of a scenario"),
        ("[scenario\n", "Expected"),
        ("[scenario]\ndraws = 'many'\n", "'draws' must be a whole number, not a text"),
        ("[scenario]\nsessions = 'nothing.csv'\n", "There is no file"),
    ],
)
def test_a_wrong_scenario_file_is_named(place: Path, content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(content)
    with pytest.raises(UsageError, match=words):
        ran(place, "plan", "scenario", str(file), "--period", "2019-01")
