"""A store and a buffer of the first version (revision 2ec8ac1) are opened and continued. `first_version/` has both."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.buffer import Buffer
from adapters.stores import existing_store
from gateway.core import Core, Incoming, Source
from telemetry.kpi_value import KpiQuery
from telemetry.windows import MINUTE
from tests.replay.cli import run

FILES = Path(__file__).parent / "first_version"
SENT = 1_741_000_000_000  # the first record's time: 2025-03-03T11:06:40Z


def restored(name: str, folder: Path) -> Path:
    """The SQLite file as the first version left it."""
    path = folder / f"{name}.db"
    db = sqlite3.connect(path)
    db.executescript(gzip.decompress((FILES / f"{name}.sql.gz").read_bytes()).decode())
    db.close()
    return path


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{restored('store', tmp_path)}"


def day(store: str) -> dict[tuple[str, str], dict[str, Any]]:
    shown = run("kpi", "show", "--city", "town", "--store", store, "--period", "2025-03-02", "--format", "json")
    return {(row["code"], row["part"]): row for row in json.loads(shown)}


EXPECTED: list[dict[str, Any]] = json.loads((FILES / "2025-03-02.json").read_text())


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    return day(f"sqlite:///{restored('store', tmp_path_factory.mktemp('first'))}")


@pytest.mark.parametrize("value", EXPECTED, ids=lambda v: f"{v['code']}/{v['part']}")
def test_the_values_are_read_as_they_were(shown: dict[tuple[str, str], dict[str, Any]], value: dict[str, Any]) -> None:
    row = shown[value["code"], value["part"]]
    assert {name: row[name] for name in value} == value


def test_more_readings_are_added_to_what_is_there(store: str, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    more.write_text("time,device,quantity,value,unit\n2025-03-04T00:00:00Z,meter-1,energy_total,1190,kWh\n")
    run("replay", str(more), "--city", str(FILES / "town.toml"), "--store", store)
    # 72 readings of 2.5 kWh a step from 1000 kWh on, and one a day later that reads 1190.
    with_more = existing_store(store).kpis(KpiQuery("town", ["month"], ["LOCAL:E:METERED"]))
    assert [v.kpi.value for v in with_more] == [pytest.approx(1190 - 1000, abs=1e-9)]


def test_deriving_again_keeps_what_was_final_or_says_what_changed(store: str) -> None:
    before = {key: row["value"] for key, row in day(store).items() if key[0] == "EN:EN:AQ:1C"}
    run("kpi", "backfill", "--city", str(FILES / "town.toml"), "--store", store)
    assert {key: row["value"] for key, row in day(store).items() if key[0] == "EN:EN:AQ:1C"} == before


def test_a_buffer_continues_with_its_outbox_its_ledger_and_its_rejects(tmp_path: Path) -> None:
    buffer = Buffer(restored("gateway", tmp_path), MINUTE)
    source = Source("cv/1/{city}/{device}/data", "senml")
    core = Core(buffer, [source])
    dirty, partials = core.pending()
    assert len(dirty.window) == 6
    assert sorted(partials.sum.tolist()) == [21.0, 22.0, 23.0, 26.0, 1234.5, 1235.5]
    assert [r.reason for r in buffer.rejects.newest()] == ["'energy_total' has no numeric value"]
    again = json.dumps([{"bt": SENT / 1000 + 60, "boot": 7, "seq": 1, "n": "no2", "u": "ug/m3", "v": 21.0}])
    counts = core.accept([Incoming("cv/1/town/air-1/data", again.encode())], SENT + 900_000)
    assert (counts.stored, counts.duplicate) == (0, 1)
    missing = json.dumps([{"bt": SENT / 1000 + 240, "boot": 7, "seq": 4, "n": "no2", "u": "ug/m3", "v": 24.0}])
    assert core.accept([Incoming("cv/1/town/air-1/data", missing.encode())], SENT + 960_000).stored == 1
    assert core.pending()[1].sum.sum() == pytest.approx(21 + 22 + 23 + 24 + 26 + 1234.5 + 1235.5)
