"""The Python library and the test kit: tables hold what the command line shows; the page's examples run."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cityvitals
from cityvitals.library import CityData
from cityvitals.table import Table
from cityvitals.testing import CityUnderTest, decoded
from gateway.formats import flat_json
from telemetry.errors import CityVitalsError, UsageError
from tests.replay import cli

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "python.md"
CITY = """
[city]
id = "town"
name = "Town"
country = "GB"
timezone = "UTC"

[[device]]
id = "m1"
kind = "electricity_meter"
quantities = ["energy_delta"]
interval_s = 3600
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a day of hourly energies 0.5, 1.0, ..., 12.0 kWh; they sum to 150."""
    place = tmp_path_factory.mktemp("library")
    (place / "city.toml").write_text(CITY)
    rows = [f"2024-01-01T{h:02}:00:00Z,m1,energy_delta,{(h + 1) / 2},kWh" for h in range(24)]
    (place / "m1.csv").write_text("\n".join(["time,device,quantity,value,unit", *rows, ""]))
    cli.run(
        "replay", str(place / "m1.csv"), "--city", str(place / "city.toml"), "--store", f"sqlite:///{place}/city.db"
    )
    return place


@pytest.fixture
def city(folder: Path) -> CityData:
    return cityvitals.open(f"sqlite:///{folder}/city.db").city("town")


def test_a_period_is_a_table_with_missing_values_as_nan(city: CityData) -> None:
    table = city.kpis(period="2024-01-01", codes=["LOCAL:E:METERED", "EN:EN:AQ:1C"])
    metered = table["code"] == "LOCAL:E:METERED"
    assert table["value"][metered].tolist() == [150.0]
    assert table["start"][metered].tolist() == np.array(["2024-01-01"], dtype="datetime64[ms]").tolist()
    assert np.isnan(table["value"][~metered].astype(float)).all()
    assert "" not in set(table["reason"][~metered])


def test_all_stored_days_are_a_table(city: CityData) -> None:
    days = city.kpis(codes=["LOCAL:E:METERED"], kind="day")
    assert (days["period"].tolist(), days["value"].tolist()) == (["2024-01-01"], [150.0])


def test_windows_and_readings_of_a_series(city: CityData) -> None:
    windows, readings = (read("m1", "energy_delta", "2024-01-01") for read in (city.windows, city.readings))
    assert (windows.height, windows["sum"].sum(), windows["n"].sum()) == (24, 150.0, 24)
    assert readings["value"].tolist() == [(h + 1) / 2 for h in range(24)]
    assert readings["time"][-1] == np.datetime64("2024-01-01T23:00:00")
    assert city.windows("m1", "energy_delta", "2024-01-02").height == 0


def test_what_does_not_exist_is_named_with_the_nearest(folder: Path, city: CityData) -> None:
    with pytest.raises(UsageError, match="did you mean 'town'"):
        cityvitals.open(f"sqlite:///{folder}/city.db").city("twon")
    with pytest.raises(UsageError, match="did you mean 'm1'"):
        city.windows("m2", "energy_delta")
    with pytest.raises(UsageError, match="There is no store"):
        cityvitals.open(f"sqlite:///{folder}/nothing.db")
    with pytest.raises(UsageError, match="gateway's buffer"):
        city.readings("m1", "energy_delta", buffer=folder / "nothing.db")


def test_a_table_becomes_a_data_frame_where_the_library_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table({"a": np.array([1.0, 2.0])})
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(CityVitalsError, match="pip install pandas"):
        table.to_pandas()
    made: list[Any] = []
    monkeypatch.setitem(sys.modules, "polars", SimpleNamespace(DataFrame=made.append))
    table.to_polars()
    assert made[0]["a"].tolist() == [1.0, 2.0]


def test_a_table_shows_its_first_rows() -> None:
    text = repr(Table.of_rows(["n", "v"], [(i, None if i else 1.0) for i in range(12)]))
    assert text.splitlines()[:3] == ["n  v", "0  1.0", "1  nan"]
    assert text.splitlines()[-1] == "... 12 rows"


def test_the_kit_derives_a_catalogue_kpi() -> None:
    town = CityUnderTest(
        [{"id": "s1", "kind": "air_reference", "quantities": ["no2"], "interval_s": 3600}], timezone="Europe/Paris"
    )
    town.add("s1", "no2", "2024-01-01T00:00:00+01:00", 3600, [10.0, 30.0] * 12)
    values = {v.part: v.value for v in town.derive("EN:EN:AQ:1C", "2024-01-01")}
    assert values["no2"] == pytest.approx(20.0)


def test_the_kit_reports_what_a_format_got_wrong() -> None:
    with pytest.raises(AssertionError, match="is not a unit of energy_total"):
        decoded(flat_json, b'{"time": "2024-01-01T00:00:00Z", "energy_total": {"value": 1, "unit": "Cel"}}')


def test_the_examples_of_the_page_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 5
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "150.0 kWh 1.0"
    assert printed[1] == "1 150.0 12.0"
    assert any("m1" in line for line in printed[2:])
