"""`cityvitals kpi pack`: the verifier's pack, looked into file by file, and the same bytes every time."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import openpyxl
import pytest
from matplotlib.figure import Figure
from openpyxl.utils import get_column_letter

from registry import extras
from registry.extras import install_command
from reporting.figures.template import HEADINGS
from reporting.pack import plots
from telemetry.errors import CityVitalsError
from telemetry.periods import parse_period
from tests.api.city import kpi
from tests.reporting.city import fill, run

TARGET = '\n[[target]]\ncode = "EN:EN:AQ:1C"\npart = "no2"\nvalue = 40\nsource = "EU limit"\n'
REPORT = """code,part,year,value,numerator,denominator,source,quality
EC:ICT:ICT:2C,,2018,,4225.5,5000,Statistics office,survey
EC:I:ES:3C,,2018,89,,,Grid company,measured
SC:SH:SI:2C,,2018,0.27,,,Statistics office,higher-level
"""
NAMES = {"SHA256SUMS", "coverage.png", "figures.csv", "figures.xlsx", "months.png", "provenance.json",
         "snapshot.svg", "stations.png", "summary.pdf", "wheel.png"}  # fmt: skip


def packed(folder: Path, out: str, capture: str = "0.05") -> Path:
    """A pack of 2018 out of a store filled for it alone."""
    folder.mkdir()
    store = fill(folder, f"{TARGET}\n[rules]\nperiod_capture = {capture}\n")
    (folder / "figures.csv").write_text(REPORT)
    run("kpi", "report", "almby", folder / "figures.csv", "--store", store)
    return pack(store, folder / out)


def pack(store: str, out: Path) -> Path:
    run("kpi", "pack", "--city", "almby", "--store", store, "--period", "2018", "--out", out)
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed(tmp_path_factory.mktemp("pack") / "a", "pack")


def sheet(made: Path, name: str) -> list[dict[str, Any]]:
    book = openpyxl.load_workbook(made / "figures.xlsx", data_only=True)
    head, *rows = book[name].iter_rows(values_only=True)
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def figure(made: Path, code: str, part: str = "", name: str = "Data collection") -> dict[str, Any]:
    [found] = [r for r in sheet(made, name) if r["Code"].replace(" ", "") == code and (r["Data point"] or "") == part]
    return found


def test_a_pack_has_its_files_and_their_checksums(made: Path) -> None:
    listed = {}
    for line in (made / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        listed[name] = digest
    assert {p.name for p in made.iterdir()} == NAMES == {*listed, "SHA256SUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256((made / name).read_bytes()).hexdigest() == digest


def test_two_stores_filled_apart_give_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = packed(tmp_path / "b", "other")
    assert again.parent != made.parent
    for name in sorted(NAMES):
        assert (again / name).read_bytes() == (made / name).read_bytes(), name


def test_the_columns_stand_where_the_template_has_them(made: Path) -> None:
    book = openpyxl.load_workbook(made / "figures.xlsx")
    head = {get_column_letter(n): cell.value for n, cell in enumerate(book["Data collection"][1], 1)}
    assert {c: head[c] for c in "OQRSTUV"} == {
        "O": "Result", "Q": "Reported", "R": "Benchmark band", "S": "Verified", "T": "Data quality", "U": "Origin",
        "V": "Source",
    }  # fmt: skip
    assert tuple(head.values()) == HEADINGS


def test_what_is_not_reported_is_nr_and_the_sheet_has_all_112_figures(made: Path) -> None:
    rows = sheet(made, "Data collection")
    assert len(rows) == 112
    assert {r["Result"] for r in rows if r["Reported"] == "NO"} == {"NR"}
    assert {r["Verified"] for r in rows} == {"NO"}
    assert figure(made, "EN:EN:AQ:1C", "so2")["Remark"] == "no station of the city measures it"


def test_a_derived_figure_has_value_band_quality_and_source(made: Path) -> None:
    row = figure(made, "EN:EN:AQ:1C", "no2")
    assert row["Result"] == pytest.approx((32 + 10) / 2, abs=0.01)
    assert (row["Reported"], row["Benchmark band"], row["Origin"]) == ("YES", "95+ %", "derived from sensor readings")
    assert row["Data quality"] == "measured accurately"
    assert row["Source"].endswith(", 2 devices")


def test_a_reported_ratio_is_computed_in_the_sheet(made: Path) -> None:
    row = figure(made, "EC:ICT:ICT:2C")
    assert (row["Result"], row["Numerator"], row["Denominator"]) == (84.51, 4225.5, 5000)
    assert (row["Data quality"], row["Source"]) == ("extrapolated from a survey of inhabitants", "Statistics office")
    formulas = openpyxl.load_workbook(made / "figures.xlsx")["Data collection"]
    assert formulas["O3"].value == "=M3*100/N3"


def test_a_unit_that_is_not_confirmed_is_orange(made: Path) -> None:
    cells = openpyxl.load_workbook(made / "figures.xlsx")["Data collection"]
    orange = {row[4].value for row in cells.iter_rows(min_row=2) if row[9].fill.fgColor.rgb == "FFF5A623"}
    assert "EN: EN: WS: 2C" in orange
    assert "EN: EN: AQ: 1C" not in orange


def test_use_by_head_is_not_reported_while_a_meter_of_the_city_is_unseen(made: Path) -> None:
    row = figure(made, "EN:E:E:2C")  # two of three meters
    assert (row["Result"], row["Reported"]) == ("NR", "NO")
    assert row["Derived from sensors"] == pytest.approx(744 * 2 / 10000)
    assert row["Remark"].startswith("partial and therefore not reported: 0.1488 kWh/yr/capita; 2 of 3 meters")


def test_local_kpis_and_findings_have_sheets_of_their_own(made: Path) -> None:
    assert figure(made, "LOCAL:E:METERED", name="Local KPIs")["Result"] == pytest.approx(744 * 2)
    [found] = sheet(made, "To check")
    assert (found["Code"], found["Page"]) == ("EC:I:ES:3C", "p77")


def test_the_category_scores_are_formulas_over_points(made: Path) -> None:
    values = openpyxl.load_workbook(made / "figures.xlsx", data_only=True)["Category scoring"]
    [row] = [r for r in values.iter_rows(values_only=True) if r[0] == "Air Quality"]
    assert row == ("Air Quality", 4, 1, 1.0, "95+ %")


def test_the_csv_says_the_same_as_the_sheet(made: Path) -> None:
    with (made / "figures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 112 + len(sheet(made, "Local KPIs"))
    [row] = [r for r in rows if r["Code"] == "EC: ICT: ICT: 2C"]
    assert row["Result"] == "84.51"


def test_the_provenance_goes_down_to_the_stations_and_names_no_time_of_making(made: Path) -> None:
    found = msgspec.json.decode((made / "provenance.json").read_bytes())
    assert (found["schema"], found["city"]["city"]["id"]) == (3, "almby")
    [no2] = [p for p in found["derived"] if p["value"]["part"] == "no2" and p["value"]["code"] == "EN:EN:AQ:1C"]
    assert [d["device"] for d in no2["devices"]] == ["street", "park", "broken"]
    assert no2["stored"] == ""
    assert "not the publisher's" in found["targets"]["note"]
    assert {f["code"] for f in found["reported"]} == {"EC:ICT:ICT:2C", "EC:I:ES:3C", "SC:SH:SI:2C"}


def test_pictures_and_summary_are_what_their_names_say(made: Path) -> None:
    for path in made.glob("*.png"):
        assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        assert b"Software" not in path.read_bytes()
    assert (made / "summary.pdf").read_bytes()[:5] == b"%PDF-"


def test_a_missing_library_is_a_sentence_that_says_how_to_install_it() -> None:
    with pytest.raises(
        CityVitalsError, match=re.escape(f"no_such_library is not installed; run: {install_command('report')}")
    ):
        extras.need("report", "no_such_library")


@pytest.mark.parametrize(
    ("part", "unit", "values", "title", "reach"),
    [
        ("no2_hours", "hours", (0.0, 0.0), "Hours over: NO₂ hours, hours", (0.0, 1.0)),
        ("", "/", (0.0, 4.0), "Hours over", (0.0, 4.2)),
        ("pm2_5", "ug/m3", (9.0, 10.0), "Hours over: PM2.5, µg/m³", (0.0, 10.5)),
        ("", "count", (3.0, 2.0), "Hours over", (0.0, 3.15)),
    ],
)
def test_months_begin_at_zero_and_have_a_name_and_a_unit_to_print(
    part: str, unit: str, values: tuple[float, ...], title: str, reach: tuple[float, float]
) -> None:
    month = kpi("EN:EN:AQ:1C", "no2", parse_period("2026-05", ZoneInfo("UTC")))
    found = [msgspec.structs.replace(month, part=part, unit=unit, value=v) for v in values]
    axes = Figure().subplots()
    plots.month_bars(axes, "Hours over", found)
    assert axes.get_title(loc="left") == title
    assert axes.get_ylim() == pytest.approx(reach)
