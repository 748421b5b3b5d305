"""`cityvitals kpi export`: NGSI-LD, CSV and Parquet say the same."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pyarrow.parquet as pq
import pytest

from reporting.open_rows import COLUMNS
from telemetry.errors import UsageError
from tests.reporting.city import fill, run

# What the smart data model `KeyPerformanceIndicator` (schema version 0.2.1) asks of an entity in its short form.
MODEL = {
    "type": "object",
    "required": ["id", "type", "process", "category", "kpiValue"],
    "properties": {
        "id": {"type": "string", "pattern": r"^urn:ngsi-ld:KeyPerformanceIndicator:[A-Za-z0-9._:-]+$"},
        "type": {"const": "KeyPerformanceIndicator"},
        "category": {"type": "array", "minItems": 1, "items": {"enum": ["quantitative", "qualitative"]}},
        "organization": {"type": "string"},
        "process": {"type": "string"},
        "businessTarget": {"type": "string"},
        "calculationFrequency": {"enum": ["hourly", "daily", "monthly", "quarterly", "yearly"]},
        "calculatedBy": {"type": "string"},
        "calculationMethod": {"enum": ["manual", "automatic", "semiautomatic"]},
        "calculationFormula": {"type": "string"},
        "calculationPeriod": {
            "type": "object",
            "required": ["from", "to"],
            "properties": {name: {"type": "string", "format": "date"} for name in ("from", "to")},
        },
        "currentStanding": {"enum": ["veryGood", "good", "fair", "bad", "veryBad"]},
        "kpiValue": {"type": "number"},
        "updatedAt": {"type": "object", "required": ["@type", "@value"]},
    },
}
TARGET = '\n[[target]]\ncode = "EN:EN:AQ:1C"\npart = "no2"\nvalue = 20\nsource = "plan"\n'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return fill(tmp_path_factory.mktemp("export"), TARGET)


def exported(store: str, folder: Path, form: str, *options: str) -> Path:
    out = folder / f"kpis.{form}"
    run("kpi", "export", "--city", "almby", "--store", store, "--format", form, "--out", out, *options)
    return out


def short(entity: dict[str, Any]) -> dict[str, Any]:
    return {k: v["value"] if isinstance(v, dict) else v for k, v in entity.items()}


def test_every_entity_is_one_of_the_data_model(store: str, tmp_path: Path) -> None:
    found = msgspec.json.decode(exported(store, tmp_path, "ngsi-ld", "--kind", "month", "--kind", "day").read_bytes())
    assert len(found) > 100
    assert len({e["id"] for e in found}) == len(found)
    for entity in found:
        jsonschema.validate(short(entity), MODEL, format_checker=jsonschema.FormatChecker())
        assert all(v.get("value") is not None for v in entity.values() if isinstance(v, dict))


def test_an_entity_says_what_the_value_is_and_how_it_stands(store: str, tmp_path: Path) -> None:
    found = msgspec.json.decode(exported(store, tmp_path, "ngsi-ld", "--period", "2018-01").read_bytes())
    [no2] = [e for e in found if e["id"].endswith(":EN:EN:AQ:1C:no2:2018-01")]
    plain = short(no2)
    assert plain["kpiValue"] == pytest.approx(21.0, abs=0.01)
    assert no2["kpiValue"]["unitCode"] == "GQ"
    assert plain["calculationPeriod"] == {"from": "2018-01-01", "to": "2018-01-31"}
    assert plain["currentStanding"] == "veryGood"  # 20 of 20.9987 is over 95 %
    assert plain["businessTarget"] == "20 ug/m3, the city's own (plan)"
    assert (plain["calculationMethod"], plain["license"], plain["alternateName"]) == (
        "automatic", "CC-BY-4.0", "EN: EN: AQ: 1C",
    )  # fmt: skip


def test_csv_and_parquet_hold_the_same_rows(store: str, tmp_path: Path) -> None:
    with exported(store, tmp_path, "csv", "--kind", "month").open(newline="") as file:
        plain = list(csv.DictReader(file))
    table = pq.read_table(exported(store, tmp_path, "parquet", "--kind", "month"))
    assert table.column_names == list(COLUMNS) == list(plain[0])
    for row, other in zip(table.to_pylist(), plain, strict=True):
        assert {k: "" if v is None else str(v) for k, v in row.items()} == other
    assert table.schema.field("value").type == "double"


def test_a_value_that_does_not_exist_is_null_and_no_entity(store: str, tmp_path: Path) -> None:
    rows = pq.read_table(exported(store, tmp_path, "parquet", "--period", "2018-01")).to_pylist()
    missing = [r for r in rows if r["value"] is None]
    found = msgspec.json.decode(exported(store, tmp_path, "ngsi-ld", "--period", "2018-01").read_bytes())
    assert missing
    assert len(found) == len(rows) - len(missing)


def test_the_same_export_has_the_same_bytes(store: str, tmp_path: Path) -> None:
    for form in ("csv", "parquet", "ngsi-ld"):
        (tmp_path / form).mkdir()
        first = exported(store, tmp_path, form).read_bytes()
        assert exported(store, tmp_path / form, form).read_bytes() == first


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--format", "xml"), "'xml' is not a valid format"),
        (("--format", "csv", "--kind", "week"), "'week' is not a kind of period"),
     (("--format", "csv", "--code", "EC:1"), "There is no KPI 'EC:1'")],
)  # fmt: skip
def test_a_wrong_option_is_reported(store: str, options: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        run("kpi", "export", "--city", "almby", "--store", store, *options)
