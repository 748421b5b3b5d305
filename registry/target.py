"""Entries of the city file beside devices: targets, practices and feeders."""

from __future__ import annotations

import itertools
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class InterimPoint(_Strict):
    """A value that is to be reached on the way to a target."""

    year: int = Field(ge=1950, le=2200)
    value: float = Field(ge=0, allow_inf_nan=False)


class TargetEntry(_Strict):
    """The value that a figure is to reach, in the figure's unit; set by the city, because the publisher defines none.

    `direction` is needed where the catalogue does not define which direction is better. `year` is the deadline;
    `baseline` the value of `baseline_year`, from which progress is measured (default: the first value stored).
    `form`: progress as growth a year, or in a straight line. Codes and parts are checked where the targets are used,
    against the catalogue.
    """

    code: str
    part: str = ""
    value: float = Field(ge=0, allow_inf_nan=False)
    direction: Literal["higher", "lower", "nearest"] | None = None
    source: str = ""
    year: int | None = Field(None, ge=1950, le=2200)
    baseline: float | None = Field(None, ge=0, allow_inf_nan=False)
    baseline_year: int | None = Field(None, ge=1950, le=2200)
    interim: list[InterimPoint] = []
    form: Literal["growth", "linear"] | None = None

    @model_validator(mode="after")
    def _in_time(self) -> TargetEntry:
        if (self.baseline is None) != (self.baseline_year is None):
            raise ValueError("baseline and baseline_year belong together; set both or none")
        if self.interim and self.year is None:
            raise ValueError("interim points need the deadline; set year")
        years = [self.baseline_year, *(point.year for point in self.interim), self.year]
        known = [year for year in years if year is not None]
        if any(after <= before for before, after in itertools.pairwise(known)):
            raise ValueError("baseline_year, the years of interim and year must follow each other in time")
        return self


class Practice(_Strict):
    """What a city did for a KPI, in its own words, for others to read."""

    code: str
    text: str = Field(min_length=1)


class Feeder(_Strict):
    """A feeder or transformer: the meters behind it and what it can carry. Used by plans, by no KPI."""

    id: str
    meters: list[str] = Field(min_length=1)
    rating_kva: float = Field(gt=0, allow_inf_nan=False)
    cos_phi: float = Field(0.95, gt=0, le=1)
