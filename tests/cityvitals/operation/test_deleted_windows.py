"""Values of a time whose windows are deleted say so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import Kept
from cityvitals.operation import doctor
from registry.settings import Settings, StoreSettings
from telemetry.windows import DAY
from tests.replay import cli

START = 1_709_251_200_000  # 2024-03-01T00:00Z
LIMIT = START + 5 * DAY
TOML = """
[city]
id = "aba"
name = "Aba"
country = "NG"
timezone = "UTC"
population = 100
[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 3600
[rules]
period_capture = 0.0
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Ten days of readings, of which the windows of the first four are deleted."""
    (tmp_path / "aba.toml").write_text(TOML, encoding="utf-8")
    replay(tmp_path, range(1, 11))
    opened = SqliteStore(tmp_path / "store.db")
    opened.put_kept("aba", "window", Kept(LIMIT, LIMIT - DAY, LIMIT + 90 * DAY))
    assert opened.delete_partials("aba", "window", 0, LIMIT - DAY, 10_000) == LIMIT - DAY
    opened.close()
    return tmp_path / "store.db"


def replay(folder: Path, days: range, kwh: float = 2.0) -> str:
    rows = [f"2024-03-{d:02d}T{h:02d}:00:00Z,m1,energy_delta,{kwh},kWh" for d in days for h in range(24)]
    path = folder / f"r{kwh}.csv"
    path.write_text("\n".join(["time,device,quantity,value,unit", *rows]) + "\n", encoding="utf-8")
    return cli.run("replay", path, "--city", folder / "aba.toml", "--store", f"sqlite:///{folder}/store.db")


def explained(store: Path, period: str) -> str:
    words = ("LOCAL:E:METERED", "--city", "aba", "--store", f"sqlite:///{store}", "--period", period)
    return " ".join(cli.here("kpi", "explain", *words).split())


def test_doctor_says_which_windows_are_deleted(store: Path) -> None:
    found = doctor.store(Settings(store=StoreSettings(url=f"sqlite:///{store}")))
    [said] = [f.advice for f in found if f.what == "windows of aba"]
    assert said.startswith("the windows before 2024-03-06T00:00:00Z were deleted, the last on 2024-06-04T00:00:00Z")


def test_the_proof_of_a_value_says_that_it_cannot_be_derived_again(store: Path) -> None:
    text = explained(store, "2024-03-02")
    assert "48" in text
    assert "recalculated now: the same" in text
    assert "cannot be derived again: the windows before 2024-03-06T00:00:00Z were deleted" in text
    assert "cannot be derived again" not in explained(store, "2024-03-08")


def test_a_corrected_file_changes_only_the_time_whose_windows_are_kept(store: Path) -> None:
    output = replay(store.parent, range(1, 11), kwh=3.0)
    assert "windows written              120" in output
    assert "48" in explained(store, "2024-03-02")
    assert "72" in explained(store, "2024-03-08")


def test_a_replay_says_how_many_windows_were_not_stored(store: Path) -> None:
    rows = "time,device,quantity,value,unit\n2024-03-01T00:30:00Z,m1,energy_delta,1,kWh\n"
    (store.parent / "late.csv").write_text(rows, encoding="utf-8")
    done = subprocess.run(
        cli.command("replay", store.parent / "late.csv", "--city", store.parent / "aba.toml",
                    "--store", f"sqlite:///{store}"),
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert "1 windows were not stored: the store's windows of their time are deleted" in done.stdout + done.stderr
