"""What a view shows as a file: CSV and XLSX hold the values of the JSON answer, and nothing that is withheld."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import openpyxl
import pytest

from adapters.sqlite.store import SqliteStore
from adapters.store import CityRecord
from tests.api.city import CITY
from tests.api.conftest import running
from tests.page.city import HOME, page_config, seed_page

BASE = f"/v1/cities/{CITY}"
COLON = "plug:1"  # a letter that no file of Windows may have in its name


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    store = SqliteStore(tmp_path_factory.mktemp("files") / "files.db")
    seed_page(store)
    other = {**page_config(), "city": {**page_config()["city"], "id": "other", "name": "=cmd()"}, "device": []}
    store.put_city(CityRecord("other", other, 60_000))
    with running(store) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as made:
        yield made
    store.close()


def rows(client: httpx.Client, path: str) -> list[dict[str, str]]:
    """The CSV of an address; the XLSX has the same cells."""
    more = "&" if "?" in path else "?"
    answer = client.get(f"{path}{more}format=csv").raise_for_status()
    assert "attachment" in answer.headers["Content-Disposition"]
    found = list(csv.DictReader(io.StringIO(answer.text)))
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"{path}{more}format=xlsx").raise_for_status().content))
    sheet = list(book.active.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert list(sheet[0]) == list(found[0])
    assert len(sheet) == len(found) + 1
    return found


def number(text: str) -> float | None:
    return float(text) if text else None


def test_devices_with_their_newest_values(client: httpx.Client) -> None:
    shown = {d["id"]: d for d in client.get(f"{BASE}/devices").json()["devices"]}
    found = {row["id"]: row for row in rows(client, f"{BASE}/devices")}
    assert list(found) == list(shown)
    for name, row in found.items():
        values = {head.split(" ")[0]: number(text) for head, text in row.items() if " (" in head and text}
        assert values == {q: n["value"] for q, n in shown[name]["newest"].items() if n["value"] is not None}
    assert any(head == "no2 (ug/m3)" for head in found[HOME])
    assert (found[HOME]["withheld"], found[HOME]["lat"]) == ("True", "")
    assert not [text for head, text in found[HOME].items() if " (" in head and text], "a home's meter has no value"


def test_hours_of_a_device(client: httpx.Client) -> None:
    path = f"{BASE}/devices/air_reference-03/hours?quantity=no2"
    shown = client.get(path).json()
    found = rows(client, path)
    assert [number(row["value"]) for row in found] == shown["value"]
    assert [number(row["others"]) for row in found] == shown["others"]
    assert {row["unit"] for row in found} == {"ug/m3"}
    assert found[0]["time"] == shown["start"]


def test_cities_beside_each_other(client: httpx.Client) -> None:
    shown = client.get("/v1/compare?period=2026").json()
    found = rows(client, "/v1/compare?period=2026")
    assert [row["city"] for row in found] == [c["id"] for c in shown["cities"]]
    assert {row["name"] for row in found} == {"Lindhaven", "'=cmd()"}, "a spreadsheet must not run a name"
    for row, city in zip(found, shown["cities"], strict=True):
        blocks = [number(row[f"{b['sub']}: {b['name']}"]) for b in shown["blocks"]]
        assert blocks == pytest.approx(city["blocks"])


def test_a_name_of_other_letters_makes_a_file(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "odd.db")
    device = {"id": COLON, "kind": "air_reference", "quantities": ["no2"]}
    store.put_city(CityRecord(CITY, {**page_config(), "device": [device]}, 60_000))
    with running(store) as url:
        answer = httpx.get(f"{url}{BASE}/devices/{COLON}/hours?quantity=no2&format=csv", trust_env=False)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="plug-1-no2.csv"'
    assert answer.text.startswith("time,device,quantity,unit,value,")
    store.close()


@pytest.mark.parametrize("path", [f"{BASE}/devices", f"{BASE}/indicators", "/v1/compare"])
def test_another_format_is_refused_in_a_sentence(client: httpx.Client, path: str) -> None:
    answer = client.get(f"{path}?format=pdf")
    assert answer.status_code == 422
    assert "'json', 'csv' or 'xlsx'" in answer.text
