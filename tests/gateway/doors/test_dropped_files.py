"""Files dropped into a folder are stored once, then moved; what cannot be used is listed beside them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.doors import files
from gateway.doors.files import FilesDoor
from telemetry.periods import iso
from tests.gateway.doors.door_core import DoorCore
from tests.processes import wait_for

PLAIN = "time,device,quantity,value,unit\n2026-01-01T00:00:00Z,m1,power,1.5,kW\n2026-01-01T00:01:00Z,m/1,power,2,W\n"
SESSIONS = "start,end,device,energy_kwh,user_hash\n2026-01-01T00:00:00Z,2026-01-01T00:30:00Z,c1,7.5,ab\n"
LOGGER = "Zeitpunkt;Meter;Leistung (kW)\n01.07.2026 00:15;m7;1,5\n01.07.2026 00:30;m7;---\n"
MAP = """
[columns]
time = "Zeitpunkt"
time_format = "%d.%m.%Y %H:%M"
zone = "city"
stamp = "end"
interval_s = 900
device = "{Meter}"
missing = ["", "---"]
decimal_comma = true
values = { "Leistung (kW)" = { quantity = "power", unit = "kW" } }
"""


def started(core: DoorCore) -> FilesDoor:
    door = FilesDoor(core.sources[0], core.inbox, lambda _: ZoneInfo("Europe/Berlin"))
    door.start()
    return door


def folder(tmp_path: Path, **more: Any) -> tuple[Path, dict[str, Any]]:
    drop = tmp_path / "drop"
    drop.mkdir()
    return drop, {"family": "files", "folder": str(drop), **more}


def test_a_file_is_stored_and_moved_and_its_invalid_rows_are_listed(tmp_path: Path) -> None:
    drop, source = folder(tmp_path)
    core = DoorCore(tmp_path, source)
    (drop / "a.csv").write_text(PLAIN)
    (drop / "b.csv").write_text(SESSIONS)
    door = started(core)
    wait_for(lambda: (drop / "done" / "a.csv").exists() and (drop / "done" / "b.csv").exists(), 30, "both files")
    door.stop()
    core.stop()
    assert core.rows("m1") == [("m1", "power", 1500.0, 1_767_225_600_000)]
    assert [(q, v) for _, q, v, _ in core.rows("c1")] == [("session_energy", 7.5), ("connected_time", 1800.0)]
    [head, row] = list(csv.reader((drop / "done" / "a.csv.rejected.csv").open()))
    assert (head, row[0], row[1]) == (["line", "reason", "row"], "3", "'m/1' is not a valid device id")
    assert sorted(p.name for p in drop.iterdir()) == ["done"]


def test_a_loggers_export_is_read_by_a_column_map(tmp_path: Path) -> None:
    drop, source = folder(tmp_path, files=str(tmp_path / "map.toml"))
    (tmp_path / "map.toml").write_text(MAP)
    (drop / "export.csv").write_text(LOGGER)
    core = DoorCore(tmp_path, source)
    door = started(core)
    wait_for((drop / "done" / "export.csv").exists, 30, "the file")
    door.stop()
    core.stop()
    assert [(d, q, v, iso(t)) for d, q, v, t in core.rows()] == [("m7", "power", 1500.0, "2026-06-30T22:00:00Z")]


def test_a_file_of_no_family_is_put_aside_with_the_reason(tmp_path: Path) -> None:
    drop, source = folder(tmp_path)
    core = DoorCore(tmp_path, source)
    (drop / "x.csv").write_text("a,b\n1,2\n")
    door = started(core)
    wait_for((drop / "rejected" / "x.csv.reason.txt").exists, 30, "the reason")
    door.stop()
    core.stop()
    assert "no family of recorded files is recognised" in (drop / "rejected" / "x.csv.reason.txt").read_text()


def test_nothing_is_moved_before_it_is_stored_and_the_same_file_counts_once(tmp_path: Path) -> None:
    drop, source = folder(tmp_path)
    core = DoorCore(tmp_path, source)
    core.storing = False
    (drop / "a.csv").write_text(PLAIN)
    door = started(core)
    wait_for(lambda: core.denied > 0, 30, "a delivery that cannot be stored")
    assert (drop / "a.csv").exists()
    core.storing = True
    wait_for((drop / "done" / "a.csv").exists, 60, "the file")
    (drop / "a.csv").write_text(PLAIN)
    wait_for((drop / "done" / "a-1.csv").exists, 30, "the file once more")
    door.stop()
    core.stop()
    assert len(core.rows("m1")) == 1


def test_a_folder_that_goes_away_and_comes_back_is_read_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    drop, source = folder(tmp_path)
    core = DoorCore(tmp_path, source)
    door = started(core)
    drop.rename(tmp_path / "away")
    wait_for(lambda: "looking again until it is back" in caplog.text, 30, "the door to look")
    (tmp_path / "away" / "a.csv").write_text(PLAIN)
    (tmp_path / "away").rename(drop)
    wait_for((drop / "done" / "a.csv").exists, 30, "the file")
    door.stop()
    core.stop()
    assert caplog.text.count("looking again until it is back") == 1


def test_the_list_of_invalid_rows_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LISTED", 3)
    drop, source = folder(tmp_path)
    core = DoorCore(tmp_path, source)
    (drop / "a.csv").write_text(PLAIN + "".join(f"2026-01-01T00:0{n}:00Z,m/1,power,2,W\n" for n in range(2, 8)))
    door = started(core)
    wait_for((drop / "done" / "a.csv.rejected.csv").exists, 30, "the file")
    door.stop()
    core.stop()
    rows = list(csv.reader((drop / "done" / "a.csv.rejected.csv").open()))
    assert [row[0] for row in rows] == ["line", "3", "4", "5", ""]
    assert rows[-1][1] == "4 further rows are not listed"
