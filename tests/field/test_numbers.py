"""Registers that read wrong and boundaries of days: the energy is what the meter counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.field.cases import named
from tests.replay import cli

# Where the text of a case allows a range, as (lowest, highest).
RANGES = {
    "counter-jitter": (6.86, 7.54),
    "counter-replaced-higher": (6.9, 7.2),
    "counter-replaced-start-110": (6.9, 7.2),
}
COUNTERS = [
    "counter-lost-digit", "counter-one", "counter-today-register", "counter-all-nines", "counter-jitter",
    "counter-replaced-higher", "counter-replaced-start-110", "boundary-hourly", "boundary-month",
]  # fmt: skip


def replayed(case: dict[str, Any], folder: Path) -> str:
    """The store after the case's files were replayed in its city."""
    (folder / "town.toml").write_text(case["city_toml"])
    files = [folder / f"f{i}.csv" for i in range(len(case["files"]))]
    for path, text in zip(files, case["files"], strict=True):
        path.write_text(text)
    store = f"sqlite:///{folder}/s.db"
    cli.replay(folder / "town.toml", store, *files, how=cli.here)
    return store


def value(store: str, period: str, code: str = "EN:E:E:2C") -> dict[str, Any]:
    found: list[dict[str, Any]] = msgspec.json.decode(cli.show("town", store, period))
    return next(v for v in found if v["code"] == code)


def test_every_case_of_the_kind_is_here() -> None:
    assert sorted(named("counter", "boundary")) == sorted(COUNTERS)


@pytest.mark.parametrize("name", COUNTERS)
def test_the_energy_is_what_the_meter_counted(name: str, tmp_path: Path) -> None:
    case = named("counter", "boundary")[name]
    period = case["command"].split("--period ")[1].split()[0]
    found = value(replayed(case, tmp_path), period)
    low, high = RANGES.get(name, (case["expected_value"],) * 2)
    assert low - 1e-6 <= found["value"] <= high + 1e-6, case["expected"]
    assert ("meter changed: m1 on 2026-10-14" in found["notes"]) == ("replaced" in name)
