"""Rows that cannot be used are kept with file and line; calls that cannot work are a sentence and exit code 2."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from adapters.files.recorded import Chunk, read
from adapters.sqlite.rejects import Rejects
from simulators.publisher import packs
from tests.replay import cli

CITY = """
[city]
id = "aba"
name = "Aba"
country = "NG"
timezone = "Africa/Lagos"

[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_delta"]

[[device]]
id = "c1"
kind = "ev_charger"
quantities = ["session_energy"]
"""
ROWS = "time,device,quantity,value,unit\n"
SESSIONS = "start,end,device,energy_kwh,user_hash\n"
GOOD = "2024-03-01T12:00:00Z,m1,energy_delta,1.5,kWh\n"

# A row that is not stored, and why.
BAD = {
    "2024-03-01T12:30:00,m1,energy_delta,1,kWh": "no zone",
    "yesterday,m1,energy_delta,1,kWh": "not a time",
    "1949-12-31T23:59:59Z,m1,energy_delta,1,kWh": "before 1950",
    "2100-01-01T00:00:00Z,m1,energy_delta,1,kWh": "future",
    "2024-03-01T12:30:00Z,m1,energy_delta,one,kWh": "not a finite number",
    "2024-03-01T12:30:00Z,m1,energy_delta,nan,kWh": "not a finite number",
    "2024-03-01T12:30:00Z,m1,energy_delta,,kWh": "not a finite number",
    "2024-03-01T12:30:00Z,m1,energy_delta,1,lb": "unknown unit 'lb'",
    "2024-03-01T12:30:00Z,m1,energy_delte,1,kWh": "unknown quantity 'energy_delte'",
    "2024-03-01T12:30:00Z,m/1,energy_delta,1,kWh": "is not a valid device id",
    "2024-03-01T12:30:00Z,,energy_delta,1,kWh": "is not a valid device id",
    "2024-03-01T12:30:00Z,m1,energy_delta,1": "4 fields instead of 5",
    "2024-03-01T12:30:00Z,m1,energy_delta,1,kWh,": "6 fields instead of 5",
    "2024-03-01T12:30:00Z,m1,energy_delta,-1,kWh": "out of the plausible range",
}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    path = tmp_path / "aba.toml"
    path.write_text(CITY)
    return path


def write(folder: Path, text: str, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def store(folder: Path) -> str:
    return f"sqlite:///{folder}/aba.db"


def kept(folder: Path) -> list[tuple[str, str, str]]:
    """(topic, payload, reason), oldest first."""
    return [(r.topic, r.payload.decode(), r.reason) for r in reversed(Rejects.open(folder / "aba.db").newest())]


@pytest.mark.parametrize("speed", [(), ("--speed", "1e8")])
def test_bad_rows_are_kept_with_their_line_and_the_good_ones_stored(
    city: Path, tmp_path: Path, speed: tuple[str, ...]
) -> None:
    file = write(tmp_path, ROWS + GOOD + "\n".join(BAD) + "\n\n" + GOOD.replace("12:00", "13:00"))
    cli.here("replay", file, "--city", city, "--store", store(tmp_path), *speed)
    day = cli.values("aba", store(tmp_path), "2024-03-01")
    assert day["LOCAL:E:METERED", ""]["value"] == 3.0
    found = {payload: (topic, reason) for topic, payload, reason in kept(tmp_path)}
    assert set(found) == set(BAD)
    for line, (row, why) in enumerate(BAD.items(), 3):
        topic, reason = found[row]
        assert (topic, why in reason) == (f"replay:rows.csv:{line}", True), reason


def test_a_misspelt_quantity_is_printed_with_the_nearest(
    city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, ROWS + GOOD.replace("energy_delta", "energy_delte"))
    cli.here("replay", file, "--city", city, "--store", store(tmp_path))
    assert "(did you mean 'energy_delta'?)" in capsys.readouterr().err
    [(_, _, reason)] = kept(tmp_path)
    assert reason == "unknown quantity 'energy_delte'"


def test_the_summary_counts_every_row(city: Path, tmp_path: Path) -> None:
    file = write(tmp_path, ROWS + GOOD + "\n".join(BAD) + "\n" + GOOD)
    summary = cli.replay(city, store(tmp_path), file, how=cli.here)
    counts = {name: summary[name] for name in ("rows read", "duplicates", "flagged", "rejected")}
    assert counts == {"rows read": len(BAD) + 2, "duplicates": 1, "flagged": 1, "rejected": len(BAD) - 1}
    assert summary["readings stored"] == 2


def test_an_empty_file_and_one_with_a_header_only_are_no_readings(city: Path, tmp_path: Path) -> None:
    assert cli.replay(city, store(tmp_path), write(tmp_path, ROWS), how=cli.here)["rows read"] == 0
    output = cli.run("replay", write(tmp_path, ""), "--city", city, "--store", store(tmp_path), fails=2)
    assert "has no rows: the file is empty" in output


def test_bad_sessions_are_kept_and_good_ones_stored(city: Path, tmp_path: Path) -> None:
    good = "2024-03-01T12:00:00Z,2024-03-01T13:30:00Z,c1,7.5,u\n2024-03-01T12:00:00Z,,c1,2.5,\n"
    bad = {
        "2024-03-01,,c1,1,u": "no zone",
        "2024-03-01T12:00:00Z,soon,c1,1,u": "not a time",
        "2024-03-01T12:00:00Z,,c 1,1,u": "is not a valid device id",
        "2024-03-01T12:00:00Z,,c1,much,u": "not a finite number",
        "2024-03-01T14:00:00Z,2024-03-01T11:00:00Z,c1,1.25,u": "ends before it starts",
    }
    file = write(tmp_path, SESSIONS + good + "\n".join(bad) + "\n")
    cli.replay(city, store(tmp_path), file, how=cli.here)
    day = cli.values("aba", store(tmp_path), "2024-03-01")
    assert day["LOCAL:EV:ENERGY", ""]["value"] == 7.5 + 2.5 + 1.25
    reasons = {payload: reason for _, payload, reason in kept(tmp_path)}
    assert {row: why in reasons.get(row, "") for row, why in bad.items()} == dict.fromkeys(bad, True)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"city": "nowhere.toml"}, "There is no city file"),
        ({"file": "nowhere.csv"}, "There is no file"),
        ({"speed": "fast"}, "'fast' is not a valid --speed"),
        ({"speed": "0"}, "'0' is not a valid --speed"),
        ({"width": "7s"}, "must divide one hour"),
        ({"store": "mysql://x"}, "is not a valid store URL"),
        ({"store": ""}, "Name the destination"),
    ],
)
def test_a_call_that_cannot_work_is_a_sentence(
    change: dict[str, str], sentence: str, city: Path, tmp_path: Path
) -> None:
    options = {"city": str(city), "store": store(tmp_path), "speed": "max", "width": "60s", **change}
    file = change.get("file") or str(write(tmp_path, ROWS))
    words = [w for name in ("city", "store", "speed", "width") if options[name] for w in (f"--{name}", options[name])]
    message = cli.run("replay", file, *words, fails=2)
    assert sentence in message
    assert "Traceback" not in message


@pytest.mark.parametrize("how", ["truncated", "damaged", "other header"])
def test_a_file_that_cannot_be_read_is_a_sentence(how: str, city: Path, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.gz"
    whole = gzip.compress((ROWS + GOOD * 1000).encode())
    damaged = whole[:40] + bytes([whole[40] ^ 255]) + whole[41:]
    path.write_bytes({"truncated": whole[:-20], "damaged": damaged, "other header": b"time,\xe9\n"}[how])
    message = cli.run("replay", path, "--city", city, "--store", store(tmp_path), fails=2)
    assert ("the header must contain" if how == "other header" else "cannot be read") in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "f.csv",
            ROWS.replace("value", "values").encode(),
            "line 1: .* value is missing; rename 'values' to value.",
        ),
        ("f.csv", b"# of the logger\ntime,device,energy,unit\n", "line 2: .* quantity, value are missing."),
        ("f.csv", b"\n# nothing\n", "f.csv has no rows: the file is empty, or has comments only."),
        ("f.csv", b"\x7fELF\x90\x81\n" * 9, "f.csv cannot be read: it is not a text file."),
        ("", b"", "is a folder; give the path of a file."),
    ],
)
def test_what_is_wrong_with_a_file_is_named(
    name: str, content: bytes, sentence: str, city: Path, tmp_path: Path
) -> None:
    (tmp_path / "given").mkdir()
    path = tmp_path / "given" / name
    if name:
        path.write_bytes(content)
    output = cli.run("replay", path, "--city", city, "--store", store(tmp_path), fails=2)
    assert re.search(sentence, " ".join(output.split())), output
    assert "column map" not in output


def test_another_width_for_the_same_store_is_refused(city: Path, tmp_path: Path) -> None:
    file = write(tmp_path, ROWS + GOOD)
    cli.replay(city, store(tmp_path), file, how=cli.here)
    words = ("replay", file, "--city", city, "--store", store(tmp_path), "--width", "5m")
    assert "60s" in cli.run(*words, fails=2)


def test_a_quote_that_is_not_closed_costs_its_own_row_only(tmp_path: Path) -> None:
    file = tmp_path / "quote.csv"
    row = "2024-01-01T0{}:00:00Z,m1,energy_delta,{},kWh{}"
    lines = [row.format(i, i + 1, '"x' if i == 2 else "") for i in range(6)]
    lines[3] = lines[3].replace("m1", '"m1"')  # and one that is
    file.write_text("time,device,quantity,value,unit\n" + "\n".join(lines) + "\n", encoding="utf-8")
    [chunk] = read(file)
    assert len(chunk) + len(chunk.invalid) == 6
    assert [len(column) for column in chunk.columns] == [len(chunk)] * 5
    assert list(chunk.columns[3][-3:]) == ["4", "5", "6"]
    assert chunk.columns[1][-3] == "m1"


def test_a_time_without_a_zone_is_not_published_as_the_machines_own(tmp_path: Path) -> None:
    """The gateway refuses it with a reason, as a direct replay does."""
    columns = [["2024-03-01T12:30:00"], ["m1"], ["energy_delta"], ["1"], ["kWh"]]
    chunk = Chunk(tmp_path, ["time", "device", "quantity", "value", "unit"], [2], columns)
    assert b'"t":"2024-03-01T12:30:00"' in next(iter(packs(chunk)))[1]


def test_a_file_is_read_in_chunks_that_know_their_lines(tmp_path: Path) -> None:
    file = write(tmp_path, ROWS + GOOD * 7 + "bad\n" + GOOD * 2)
    chunks = list(read(file, size=4))
    assert [n for c in chunks for n in c.lines] == [2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert [(b.line, b.text) for c in chunks for b in c.invalid] == [(9, "bad")]


def test_readings_of_before_1970_have_their_kpi(city: Path, tmp_path: Path) -> None:
    """Recorded data may be of any year from 1950: times below zero are times as others."""
    rows = [f"1961-06-01T{hour:02}:00:00Z,m1,energy_delta,1.5,kWh" for hour in range(23)]
    summary = cli.replay(city, store(tmp_path), write(tmp_path, ROWS + "\n".join(rows) + "\n"), how=cli.here)
    assert (summary["readings stored"], summary["windows written"]) == (23, 23)
    assert cli.values("aba", store(tmp_path), "1961-06-01")["LOCAL:E:METERED", ""]["value"] == 23 * 1.5
    assert cli.values("aba", store(tmp_path), "1961")["LOCAL:E:METERED", ""]["value"] == 23 * 1.5
