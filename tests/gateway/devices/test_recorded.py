"""Recorded families: the files of their cases become the readings beside them; the field's files; recordings."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tomlkit

from cityvitals.replay.columns import Sessions, convert
from gateway.batch import Batch
from gateway.recorded import FOLDER, How, families, family, read
from telemetry.errors import UsageError
from telemetry.periods import iso
from telemetry.series import SeriesTable
from tests.field.cases import named
from tests.replay.recorded import need, rows

CASES = FOLDER.parent / "cases"
NOW = 1_800_000_000_000
BERLIN = ZoneInfo("Europe/Berlin")


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")


class Found:
    """What a file gives: readings in catalogue units, session rows, and the reasons of what was not used."""

    def __init__(self, path: Path, how: How) -> None:
        self.readings: list[list[Any]] = []
        self.sessions: list[list[str]] = []
        self.problems: list[str] = []
        table, sessions = SeriesTable(), Sessions()
        batch = Batch(table)
        for chunk in read(path, how):
            if chunk.is_sessions:
                self.sessions += [list(row) for row in chunk.rows()]
            converted = convert(chunk, "town", batch, table, NOW, sessions)
            self.problems += [row.reason for row in converted.invalid]
            if not chunk.is_sessions:
                r = converted.readings
                for series, value, t in zip(r.series.tolist(), r.value.tolist(), r.t.tolist(), strict=True):
                    self.readings.append([table[series].device, table[series].quantity, value, iso(t)])


def written(folder: Path, family_: str, case: dict[str, Any]) -> tuple[Path, How]:
    """The case's file, and how it is read: recognised, unless the case says more."""
    if "parquet" in case:
        import pyarrow
        from pyarrow import parquet

        path = folder / "f.parquet"
        parquet.write_table(pyarrow.table(case["parquet"]), path)
    else:
        path = folder / "f.dat"
        path.write_text(case["file"].removeprefix("\n"), encoding="utf-8")
    name = case.get("as", "")
    if "options" in case or "devices" in case:
        name = str(folder / "map.toml")
        said = {"family": family_, "columns": case.get("options", {}), "devices": case.get("devices", {})}
        Path(name).write_text(tomlkit.dumps(said))
    return path, How(name, zone=BERLIN, **case.get("how", {}))


@pytest.mark.parametrize(("name", "case"), list(cases()))
def test_a_file_becomes_the_readings_beside_it(tmp_path: Path, name: str, case: dict[str, Any]) -> None:
    path, how = written(tmp_path, name, case)
    if "refused" in case:
        with pytest.raises(UsageError, match=case["refused"]):
            Found(path, how)
        return
    found = Found(path, how)
    expected = [[*r[:2], pytest.approx(r[2], rel=1e-12), r[3]] for r in case.get("readings", [])]
    assert found.readings == expected
    assert found.sessions == case.get("sessions", [])
    assert len(found.problems) == len(case.get("problems", [])), found.problems
    assert all(a in b for a, b in zip(case.get("problems", []), found.problems, strict=True)), found.problems
    assert how.unasked == case.get("unasked", {})


def test_every_family_has_cases_and_every_case_file_a_family() -> None:
    assert {path.stem for path in CASES.glob("*.toml")} == set(families())
    for name in families():
        assert family(name).title
        assert family(name).traps


# -- the field --------------------------------------------------------------------------------

FIELD: dict[str, tuple[How, list[list[Any]]]] = {
    "foreign-sensor-community": (
        How(),
        [
            ["7", "pm10", 11.0, "2026-03-01T00:01:00Z"], ["7", "pm2_5", 8.5, "2026-03-01T00:01:00Z"],
            ["7", "pm10", 1999.9, "2026-03-01T00:03:30Z"], ["7", "pm2_5", 999.9, "2026-03-01T00:03:30Z"],
            ["7", "pm10", 12.0, "2026-03-01T00:06:00Z"],
        ],
    ),
    "foreign-home-assistant": (
        How(device="m1"),
        [["m1", "energy_total", 12.5, "2026-01-01T00:00:00Z"], ["m1", "energy_total", 12.6, "2026-01-01T00:10:00Z"]],
    ),
    "foreign-ukair": (
        How(device="a1"),
        [["a1", "pm10", 44.4, "2026-01-01T00:00:00Z"], ["a1", "no2", 27.1, "2026-01-01T00:00:00Z"]],
    ),
    "foreign-green-button": (How(device="m1"), [["m1", "energy_delta", 0.45, "2026-01-01T00:00:00Z"]]),
    "foreign-elaad": (How(device="c1"), []),
    "foreign-emoncms": (
        How("emoncms", device="m1", quantity="voltage", unit="V"),
        [["m1", "voltage", 230.5, "2026-01-01T00:00:00Z"], ["m1", "voltage", 231.0, "2026-01-01T00:00:10Z"]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FIELD))
def test_a_foreign_file_of_the_field_is_read(tmp_path: Path, name: str) -> None:
    case = named("file-foreign")[name]
    how, expected = FIELD[name]
    path = tmp_path / "f0.csv"
    path.write_text(case["files"][0])
    found = Found(path, how)
    assert found.readings == expected
    if name == "foreign-elaad":
        [[start, end, device, energy, user]] = found.sessions
        assert (start, end, device, energy) == ("2026-01-01T01:14:05Z", "2026-01-01T09:46:31Z", "c1", "42.28")
        assert "card1" not in user
        assert len(user) == 12
    if name == "foreign-sensor-community":
        assert [p.split(" is ")[0] for p in found.problems] == ["'pm10' = 1999.9", "'pm2_5' = 999.9"]


def test_every_foreign_file_of_the_field_has_a_result() -> None:
    assert set(named("file-foreign")) == set(FIELD)


# -- real recordings, whose canonical form was made by others ---


def canonical(name: str, keep: Any) -> list[list[str]]:
    return rows(name, keep)[1:]


def test_lcl_files_give_the_canonical_rows(tmp_path: Path) -> None:
    got = Found(need("lcl/MAC000052.csv.gz"), How())
    want = canonical("lcl_2013_even", lambda r: r[1] == "MAC000052")
    assert len(want) > 17_000
    assert [[d, q, v, t] for d, q, v, t in got.readings] == [[d, q, float(v), t] for t, d, q, v, _ in want]


def test_sensor_community_files_give_the_canonical_rows() -> None:
    got = Found(need("aberdeen/sds011/15462.csv.gz"), How(device="sds011-15462"))
    want = canonical("aberdeen_sds011_2018-07-15_2018-09-15", lambda r: r[1] == "sds011-15462")
    assert len(want) > 60_000
    assert sorted(got.readings) == sorted([d, q, float(v), t] for t, d, q, v, _ in want)


def test_acn_files_give_the_canonical_sessions() -> None:
    got = Found(need("ev/acn_caltech_2021_sessions.json.gz"), How())
    want = canonical("ev_acn_sessions", lambda _: True)
    assert len(want) == 2114
    assert sorted((s, e, d, float(k), u) for s, e, d, k, u in got.sessions) == sorted(
        (s, e, d, float(k), u) for s, e, d, k, u in want
    )


def test_a_column_map_reads_the_sessions_of_trondheim(tmp_path: Path) -> None:
    said = {
        "columns": {
            "time": "Start_plugin", "time_format": "%d.%m.%Y %H:%M", "zone": "Europe/Oslo", "device": "{Garage_ID}",
            "decimal_comma": True, "missing": ["", "NA"],
            "session": {"end": "End_plugout", "energy": "El_kWh", "user": "User_ID"},
        }
    }  # fmt: skip
    (tmp_path / "trondheim.toml").write_text(tomlkit.dumps(said))
    got = Found(need("ev/trondheim_dataset1_charging_reports.csv.gz"), How(str(tmp_path / "trondheim.toml")))
    want = canonical("ev_trondheim_sessions", lambda _: True)
    assert len(want) == 6878
    assert sorted((s, e, d, float(k), u) for s, e, d, k, u in got.sessions) == sorted(
        (s, e, d, float(k), u) for s, e, d, k, u in want
    )


def test_a_column_map_reads_hours_that_end_at_their_time(tmp_path: Path) -> None:
    said = {
        "columns": {
            "time": "DateTime", "zone": "UTC", "stamp": "end", "interval_s": 3600, "device": "union-street",
            "values": {
                "Nitrogen Dioxide": {"quantity": "no2", "unit": "ug/m3"}, "PM10": {"quantity": "pm10", "unit": "ug/m3"},
                "PM2.5": {"quantity": "pm2_5", "unit": "ug/m3"},
            },
        }
    }  # fmt: skip
    (tmp_path / "council.toml").write_text(tomlkit.dumps(said))
    got = Found(need("aberdeen/council/aberdeen-union-street-roadside.csv.gz"), How(str(tmp_path / "council.toml")))
    want = canonical("aberdeen_stations_2018", lambda r: r[1] == "union-street")
    in_2018 = [row for row in got.readings if row[3].startswith("2018")]
    assert len(want) > 20_000
    assert sorted(in_2018) == sorted([d, q, float(v), t] for t, d, q, v, _ in want)


def test_the_household_and_the_italian_station_give_the_stated_sums() -> None:
    house = Found(need("uci_household/household_2007-02-01_02.csv.gz"), How(device="h"))
    power = [v for _, q, v, _ in house.readings if q == "power"]
    assert (len(power), sum(power) / 60_000) == (2880, pytest.approx(58.2083, abs=5e-5))
    station = Found(need("uci_airquality/AirQualityUCI.csv.gz"), How(device="s"))
    means = {"co": (2.1527, 7674), "no2": (113.0913, 7715), "c6h6": (10.0831, 8991), "nox": (246.8967 * 1.9, 7718)}
    for quantity, (mean, count) in means.items():
        values = [v for _, q, v, _ in station.readings if q == quantity]
        assert (len(values), sum(values) / len(values)) == (count, pytest.approx(mean, abs=1e-4))


# -- times --------------------------------------------------------------------------------


def test_the_hour_that_an_autumn_night_has_twice_follows_the_order_of_the_file(tmp_path: Path) -> None:
    said = {
        "columns": {
            "time": "t", "zone": "city", "device": "{d}", "values": {"p": {"quantity": "power", "unit": "W"}},
        }
    }  # fmt: skip
    (tmp_path / "map.toml").write_text(tomlkit.dumps(said))
    local = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    text = "t,d,p\n" + "".join(f"2026-10-25 {t},{d},{n}\n" for n, t in enumerate(local) for d in ("m1", "m2"))
    (tmp_path / "f.csv").write_text(text)
    got = Found(tmp_path / "f.csv", How(str(tmp_path / "map.toml"), zone=BERLIN))
    start = datetime.fromisoformat("2026-10-24T23:30:00+00:00").timestamp() * 1000
    want = [[d, "power", float(n), iso(round(start + n * 1_800_000))] for n in range(6) for d in ("m1", "m2")]
    assert got.readings == want


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"tme": "t"}, "unknown key 'columns.tme'; did you mean 'time'"),
        ({"time": "t"}, "no column holds values"),
        ({"time": "t", "stamp": "end", "values": {"p": {"quantity": "power"}}}, "needs `interval_s`"),
        ({"time": "t", "values": {"p": {"quantity": "powr"}}}, "unknown quantity 'powr'"),
        ({"time": "t", "values": {"p": {"quantity": "power", "unit": "Wat"}}}, "unknown unit 'Wat'"),
        ({"time": "when", "device": "x", "values": {"p": {"quantity": "power"}}}, "it must have the columns when"),
        ({"time": "t", "zone": "Europe/Berln", "device": "x", "values": {"p": {"quantity": "power"}}}, "Europe/Berlin"),
        ({"time": "t", "shape": "cvs", "device": "x", "values": {"p": {"quantity": "power"}}}, "did you mean 'csv'"),
    ],
)
def test_a_column_map_that_cannot_work_is_a_sentence(tmp_path: Path, columns: dict[str, Any], sentence: str) -> None:
    (tmp_path / "map.toml").write_text(tomlkit.dumps({"columns": columns}))
    (tmp_path / "f.csv").write_text("t,p\n2026-01-01T00:00:00Z,1\n")
    with pytest.raises(UsageError, match=sentence):
        Found(tmp_path / "f.csv", How(str(tmp_path / "map.toml")))


def test_unknown_families_and_files_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("t,p\n2026-01-01T00:00:00Z,1\n")
    with pytest.raises(UsageError, match="did you mean 'sensor_community'"):
        Found(tmp_path / "f.csv", How("sensor_comunity"))
    with pytest.raises(UsageError, match=r"no family of recorded files is recognised by these columns \(t, p\)"):
        Found(tmp_path / "f.csv", How())
    (tmp_path / "b.bin").write_bytes(bytes(range(256)))
    with pytest.raises(UsageError):
        Found(tmp_path / "b.bin", How())
    (tmp_path / "d.json").write_text(json.dumps({"a": 1}))
    with pytest.raises(UsageError, match="no family"):
        Found(tmp_path / "d.json", How())
