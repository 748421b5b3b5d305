"""The recorded data beside this repository, read at run time only; without it the tests that need it are skipped."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"

STATIONS = "aberdeen_stations_2018"
METERS = "lcl_2013_even"
TRONDHEIM = "ev_trondheim_sessions"
ACN = "ev_acn_sessions"


def need(relative: str) -> Path:
    """The path of a recorded file; where it is not there the test is skipped, or fails when CI=true."""
    path = DATA / relative
    if path.exists():
        return path
    reason = f"the recorded data is not beside this repository (shared/data/{relative})"
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def long(name: str) -> Path:
    return need(f"long/{name}.csv.gz")


def city(name: str) -> Path:
    return need(f"{name}.toml")


def expected(name: str) -> dict[str, float]:
    """`metric -> value` of an expected file of that shape."""
    with need(f"expected/{name}.csv").open(newline="") as file:
        return {row["metric"]: float(row["value"]) for row in csv.DictReader(file) if _is_number(row["value"])}


def table(name: str) -> list[dict[str, str]]:
    with need(f"expected/{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def rows(name: str, keep: Callable[[list[str]], bool] = lambda _: True) -> list[list[str]]:
    """Header and rows of a recorded file."""
    with gzip.open(long(name), "rt", newline="") as file:
        reader = csv.reader(file)
        return [next(reader), *(row for row in reader if keep(row))]


def write(path: Path, header: list[str], body: Iterable[list[str]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *body])
    return path
