"""Every command that lists something, on a city with data, in a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cityvitals.cli.main import app

SAMPLE = Path(__file__).parents[2] / "examples" / "sample"
OF_CITY = "--city sample --store STORE"
SESSIONS = f"--sessions {SAMPLE}/sessions.csv.gz"
LISTINGS = (
    f"kpi show {OF_CITY} --period 2025-01",
    f"kpi trend {OF_CITY}",
    f"kpi goals {OF_CITY}",
    "kpi compare --store STORE --period 2025-01",
    f"kpi explain LOCAL:E:METERED {OF_CITY} --period 2025-01",
    f"ledger {OF_CITY} --period 2025-01",
    f"report sdg {OF_CITY} --period 2025",
    "region show --store STORE --period 2025",
    "region groups",
    "region peers sample --store STORE",
    "figures list --city sample --store STORE --year 2025",
    "figures missing --city sample --store STORE --year 2025",
    "region heat-map --store STORE --period 2025",
    f"measure effect --site air-street --reference air-park --quantity no2 --after 2025-01..2025-02 {OF_CITY}",
    "plan transforms",
    "plan charging --points 10 --connection 63A",
    f"plan charging --points 10 --connection 63A {SESSIONS} {OF_CITY} --meter meter-house --period 2025-01..2025-02",
    f"plan scenario {SAMPLE.parent}/electric_2030.toml {SESSIONS} {OF_CITY} --period 2025-01",
    f"calibrate sensor-1 --against air-street --quantity pm2_5 --period 2025-01 --store STORE"
    f" --city {SAMPLE}/city.toml",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('width') / 'sample.db'}"
    files = [str(SAMPLE / name) for name in ("readings.csv.gz", "sessions.csv.gz")]
    done = CliRunner().invoke(app, ["replay", *files, "--city", str(SAMPLE / "city.toml"), "--store", url])
    assert done.exit_code == 0, done.output
    return url


@pytest.mark.parametrize("line", LISTINGS, ids=lambda line: " ".join(line.split()[:2]))
def test_no_line_is_longer_than_80_columns(line: str, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = CliRunner().invoke(app, line.replace("STORE", store).split())
    assert done.exit_code == 0, (done.output, done.exception)
    assert len(done.stdout.splitlines()) >= 1
    assert [shown for shown in done.stdout.splitlines() if len(shown) > 80] == []
