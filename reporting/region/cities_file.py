"""The cities of a national programme from one CSV: a line a city, the columns are keys of [city]. Pure."""

from __future__ import annotations

import csv
import io
from typing import Any

from pydantic import ValidationError

from registry.city import City, Denominators
from registry.target import TargetEntry
from reporting.region.groups import check_group
from telemetry.errors import UsageError, nearest

_TEXT = {"id", "name", "country", "timezone", "group", "region"}
_NOT_A_CELL = {"extra", "emission_factors", "gateways"}
_MOST = 20


def read_cities(text: str, name: str, targets: list[TargetEntry]) -> tuple[list[City], list[str]]:
    """The cities, and what is to be checked. Raises UsageError with a sentence for each line that does not fit.

    `targets`: the programme's, which every city gets.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = [c.strip() for c in reader.fieldnames or []]
    known = [c for c in Denominators.model_fields if c not in _NOT_A_CELL]
    for column in columns:
        if column not in known:
            raise UsageError(f"{name}, line 1: unknown column '{column}'; {nearest(column, known)}")
    if "id" not in columns:
        raise UsageError(f"{name}, line 1: missing id; the first line names the columns, which are keys of [city].")
    found: dict[str, City] = {}
    wrong, notes = list[str](), list[str]()
    for row in reader:
        line = f"{name}, line {reader.line_num}"
        try:
            city = _city(row, targets)
            said = check_group(city.city.group, city.city.population)
        except (ValueError, UsageError) as error:
            wrong.append(f"{line}: {error}")
            continue
        if city.id in found:
            wrong.append(f"{line}: city '{city.id}' is listed twice; every city has one line.")
        notes += [f"{line}: {said}"] if said else []
        found[city.id] = city
    if wrong or not found:
        more = f"\nand {len(wrong) - _MOST} more." if len(wrong) > _MOST else ""
        raise UsageError("\n".join(wrong[:_MOST]) + more if wrong else f"{name} contains no city.")
    return list(found.values()), notes


def _city(row: dict[str | None, Any], targets: list[TargetEntry]) -> City:
    if None in row:
        raise ValueError("more cells than columns; quote text that contains commas.")
    plain: dict[str, Any] = {}
    for column, cell in row.items():
        text = (cell or "").strip()
        if text:
            plain[str(column).strip()] = text if column in _TEXT else _number(text, str(column))
    try:
        return City.model_validate({"city": plain, "target": [t.model_dump() for t in targets]})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"][1:])
        raise ValueError(f"{place}: {first['msg'].removeprefix('Value error, ')}.") from None


def _number(text: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{column} '{text}' is not a number.") from None
