"""Files as spreadsheets and loggers write them: the shared cases of the field, and others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.files.recorded import read
from cityvitals.replay.columns import convert
from gateway.batch import Batch
from telemetry.errors import UsageError
from telemetry.periods import iso
from telemetry.series import SeriesTable
from tests.replay.recorded import DATA

FIELD = DATA / "field" / "cases.jsonl"
NOW = 1_800_000_000_000
T = "2026-11-20T10:00:00Z"
EXPECTED = {
    "file-bom": [("a1", "pm2_5", 12.3, T)],
    "file-utf16": [("a1", "pm2_5", 12.3, T)],
    "file-latin1": [("a1", "pm2_5", 12.3, T)],
    "file-blanks": [("a1", "pm2_5", 12.3, T)],
    "file-column-order": [("a1", "pm2_5", 12.3, T)],
    "file-extra-column": [("a1", "pm2_5", 12.3, T)],
    "file-hour24": [("a1", "pm2_5", 12.3, "2026-11-20T00:00:00Z")],
    "file-underscore": [],
    "file-decimal-comma": [],
}
REASONS = {"file-underscore": "'1_000' is not a finite number", "file-decimal-comma": "decimal comma"}


def contents(folder: Path, data: bytes) -> tuple[list[tuple[str, str, float, str]], list[str]]:
    path, table = folder / "f.csv", SeriesTable()
    path.write_bytes(data)
    rows, reasons = [], []
    for chunk in read(path):
        converted = convert(chunk, "town", Batch(table), table, NOW)
        r = converted.readings
        for series, value, t in zip(r.series.tolist(), r.value.tolist(), r.t.tolist(), strict=True):
            rows.append((table[series].device, table[series].quantity, value, iso(t)))
        reasons += [row.reason for row in converted.invalid]
    return rows, reasons


@pytest.mark.parametrize("name", list(EXPECTED))
def test_a_file_of_the_field_is_read(tmp_path: Path, name: str) -> None:
    if not FIELD.is_file():
        pytest.skip("the shared data is not beside this repository")
    case = next(c for c in map(json.loads, FIELD.read_text().splitlines()) if c["id"] == name)
    data = bytes.fromhex(case["files_hex"][0]) if case.get("files_hex") else case["files"][0].encode()
    rows, reasons = contents(tmp_path, data)
    assert rows == EXPECTED[name]
    assert [REASONS[name] in reason for reason in reasons] == ([True] if name in REASONS else [])


def test_a_spreadsheets_export_with_semicolons_capitals_and_comments(tmp_path: Path) -> None:
    text = "# export of the logger\nTime;Device;Quantity;Value;Unit;Note\n"
    text += '2026-11-20T10:00:00Z;m1;power;"1,5";kW;ok, fine\n'
    assert contents(tmp_path, text.encode()) == ([("m1", "power", 1500.0, T)], [])


def test_line_numbers_count_the_comments(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("# one\ntime,device,quantity,value,unit\nbad,row\n")
    [chunk] = read(tmp_path / "f.csv")
    assert [(row.line, row.reason) for row in chunk.invalid] == [(3, "2 fields instead of 5")]


def test_a_header_of_no_layout_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("when,what\n1,2\n")
    with pytest.raises(UsageError, match="line 1: the header must contain time,device"):
        list(read(tmp_path / "f.csv"))
