"""How a recorded file becomes readings: what a recorded family and an operator's own column map may define, as models.

A family is one TOML file in `gateway/recorded/families/`; an operator writes the same keys under `[columns]` in a file
of their own and names it with `cityvitals replay --as`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from registry.mapping import Measured, Strict


class ValueColumn(Measured):
    """A quantity and its unit. `unit_after`: the unit stands in the next column of this name to the right.

    `part`: several columns make one value, so combined. `missing`: texts of this column that stand for no value.
    """

    unit_after: str | None = None
    part: Literal["sum", "mean"] | None = None
    missing: list[str] = Field([])


class SessionColumns(Strict):
    """Columns of a charging session, which starts at the time of the row.

    `user`: is stored as a hash only. `energy_unit`: of the energy.
    """

    end: str | list[str] | None = None
    energy: str
    energy_unit: str = "kWh"
    user: str | None = None


class Columns(Strict):
    """One layout of a file: which column is what.

    `shape`: how the file is written, and `options` to that. `header`: names of the columns where the file has none.
    `has`: columns by which the layout is recognised. `time`: the column of the time, or several that are joined by a
    blank; `time_format` as in strptime; `zone` of times that name none, a tz name or "city". `stamp`: whether the time
    is the start or the end of the averaging interval of `interval_s`.

    `device`: text with columns in braces, as `{station}`; `{column}` is the name of the value's column, `{file}` that
    of the file. Values stand in columns of their own (`values`, by name or glob), or the column `name` says what the
    column `value` is (`names`, by name or glob) and the column `unit` its unit. `only`: rows are used where a column
    has one of these texts. `missing`: texts that stand for no value.
    """

    shape: str = "csv"
    options: dict[str, Any] = Field({})
    header: list[str] = Field([])
    has: list[str] = Field([])
    time: str | list[str]
    time_format: str | None = None
    zone: str | None = None
    stamp: Literal["start", "end"] = "start"
    interval_s: int | None = Field(None, gt=0)
    device: str | None = None
    values: dict[str, ValueColumn] = Field({})
    name: str | None = None
    value: str | None = None
    unit: str | None = None
    names: dict[str, ValueColumn] = Field({})
    session: SessionColumns | None = None
    only: dict[str, list[str]] = Field({})
    missing: list[str] = Field([""])
    decimal_comma: bool = False

    @model_validator(mode="after")
    def _whole(self) -> Columns:
        if self.stamp == "end" and self.interval_s is None:
            raise ValueError('`stamp = "end"` needs `interval_s`, the length of the averaging interval')
        if self.value is None and not self.values and self.session is None:
            raise ValueError("no column holds values: write `values`, `value` with `name`, or `session`")
        return self


class RecordedFamily(Strict):
    """A kind of recorded file. `gives`: its contents, in words; `traps`: known mistakes in reading it."""

    title: str
    gives: str
    traps: list[str] = Field([])
    layout: list[Columns] = Field(min_length=1)


class ColumnMap(Strict):
    """An operator's own file for `--as`: a family and what is otherwise, or all `[columns]` of a file.

    `devices`: the file's names and the registry's ids.
    """

    family: str | None = None
    columns: dict[str, Any] = Field({})
    devices: dict[str, str] = Field({})
