"""Every device family: the payloads of its case file become the readings beside them, or the sentence."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.batch import Batch
from gateway.decoding.decoded import BY_ARRIVAL, Decoded, SourceOptions, full_device
from gateway.decoding.reading import Reading
from gateway.devices import FOLDER, families, messages, template
from gateway.formats import decoder, is_mapped, reader
from registry.settings import SourceSettings
from telemetry.errors import Rejected
from telemetry.periods import iso
from telemetry.series import SeriesTable
from telemetry.stamps import read_stamp
from telemetry.topics import matcher

ARRIVAL = "2026-11-20T10:00:05Z"


def cases() -> Iterator[Any]:
    for path in sorted((FOLDER / "cases").glob("*.toml")):
        for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")


class Family:
    """The messages of one configured source."""

    def __init__(self, name: str, source: dict[str, Any]) -> None:
        settings = SourceSettings.model_validate({"family": name, "city": "town", **source})
        self._known = [
            (message, matcher(message.topic), self._reading(message, settings)) for message in messages(settings)
        ]

    @staticmethod
    def _reading(message: Any, settings: SourceSettings) -> Reading | None:
        if not is_mapped(message.format):
            return None
        read = reader(message.format, message.options)
        return Reading(message, read, settings.devices, lambda _: ZoneInfo("Europe/Berlin"))

    def decode(self, topic: str, payload: bytes, door: str, arrival: int) -> Decoded:
        for message, match, reading in self._known:
            levels = match(topic)
            if levels is None or message.door != door:
                continue
            if reading is None:
                found = decoder(message.format)(payload, arrival, SourceOptions())
                found.device = levels["device"]
                return found
            return reading.bind(topic, levels, "town")(payload, arrival, SourceOptions())
        raise AssertionError(f"no message of the family comes at {topic}")


def payload_of(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["payload_hex"]) if "payload_hex" in case else case["payload"].encode()


@pytest.mark.parametrize(("family", "case"), list(cases()))
def test_a_payload_becomes_the_readings_beside_it(family: str, case: dict[str, Any]) -> None:
    made = Family(family, case.get("source", {}))
    arrival, door = read_stamp(case.get("arrival", ARRIVAL)), case.get("door", "mqtt")
    before = [(t, p.encode()) for t, p in case.get("before", [])]
    for topic, payload in [*before, *((t, bytes.fromhex(p)) for t, p in case.get("before_hex", []))]:
        made.decode(topic, payload, door, arrival)
    try:
        found = made.decode(case["topic"], payload_of(case), door, arrival)
    except Rejected as reason:
        found = Decoded(problems=[str(reason)])
    rows, problems, unasked = [], [], []
    for part in [found, *found.more]:
        table = SeriesTable()
        batch = Batch(table)
        problems += batch.add("town", full_device(part.device or "", found.device or ""), part, arrival, 0)
        readings, _ = batch.readings()
        unasked += part.unasked
        for place in range(len(readings)):
            series = table[int(readings.series[place])]
            stamp = "arrival" if readings.key[place] == BY_ARRIVAL else iso(int(readings.t[place]))
            rows.append([series.device, series.quantity, pytest.approx(readings.value[place], rel=1e-9), stamp])
    assert sorted(case.get("readings", []), key=_key) == sorted(rows, key=_key)
    expected = case.get("problems", []) + [f"'{name}' is not a finite number" for name in case.get("not_finite", [])]
    assert len(problems) == len(expected), problems
    assert all(any(text in problem for problem in problems) for text in expected), problems
    assert "unasked" not in case or sorted(unasked) == sorted(case["unasked"])


def _key(row: list[Any]) -> tuple[str, str, str]:
    return str(row[0]), str(row[1]), str(row[3])


@pytest.mark.parametrize("family", families())
def test_every_family_has_cases_and_can_be_used_by_its_name(family: str) -> None:
    assert (FOLDER / "cases" / f"{family}.toml").is_file(), f"write payloads and readings for {family}"
    assert template(family).title
    assert messages(SourceSettings(family=family, city="town"))


def test_there_is_no_case_file_without_a_family() -> None:
    assert {p.stem for p in (FOLDER / "cases").glob("*.toml")} - set(families()) == set()


def test_the_folder_is_where_the_package_looks() -> None:
    assert Path(FOLDER).name == "devices"
