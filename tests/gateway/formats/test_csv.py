"""Lines of CSV as messages: with and without a header, decimal commas, lines that are not whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.formats import reader
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.errors import Rejected, UsageError
from tests.gateway import cores

NOW = 1_763_640_000_000  # 2025-11-20T12:00:00Z
LOGGER = {
    "topic": "logger/{device}", "format": "csv", "city": "town", "zone": "Europe/Berlin", "decimal_comma": True,
    "time": {"path": "time"},
    "values": {
        "t": {"quantity": "temperature", "unit": "Cel"},
        '"RH %"': {"quantity": "humidity", "unit": "%"},
    },
}  # fmt: skip


def stored(folder: Path, payload: bytes, **options: Any) -> tuple[list[list[Any]], list[str]]:
    settings = SourceSettings.model_validate({**LOGGER, "options": options})
    core = Core(Buffer(folder / "g.db", 60_000), made_sources([settings]))
    core.accept([Incoming("logger/l1", payload)], NOW)
    rows = core.buffer.db.execute("SELECT series, value, t FROM every_reading ORDER BY t, series").fetchall()
    return [[core.buffer.table[s].quantity, value, (NOW - t) // 1000] for s, value, t in rows], cores.reasons(core)


def test_lines_of_a_logger_with_a_header(tmp_path: Path) -> None:
    payload = b"\xef\xbb\xbf# station 7\r\ntime;t;RH %\r\n2025-11-20 11:00:00;21,5;43\r\n2025-11-20 11:01:00;;44\r\n"
    assert stored(tmp_path, payload) == (
        [["temperature", 21.5, 7200], ["humidity", 43.0, 7200], ["humidity", 44.0, 7140]],
        [],
    )


def test_lines_whose_columns_the_source_names_and_one_that_is_not_whole(tmp_path: Path) -> None:
    payload = b"2025-11-20 11:00:00,21.5,43\n2025-11-20 11:0\n2025-11-20 11:02:00,22.5,45\n\0"
    rows, reasons = stored(tmp_path, payload, columns=["time", "t", "RH %"])
    assert [row[1] for row in rows] == [21.5, 43.0, 22.5, 45.0]
    assert reasons == ["a record is not an object with named values"]


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"1\n" * 10_001, b'"' + b"x" * 200_000])
def test_what_is_not_csv_is_refused(payload: bytes) -> None:
    with pytest.raises(Rejected):
        reader("csv", {"columns": ["a"]})(payload, {})


@pytest.mark.parametrize("options", [{"colour": ["a"]}, {"columns": "a,b"}, {"columns": []}, {"delimiter": ";;"}])
def test_options_that_mean_nothing_are_said(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="csv"):
        reader("csv", options)
