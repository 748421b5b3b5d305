"""How the messages of a device family are read: what a device family and a configured source may define, as models.

A template is one TOML file in `gateway/devices/`; a source of the configuration names a family and may override any
of these keys, or writes them all for a device that has no family yet. Paths are JMESPath.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from registry.quantity import Quantity, check_quantities
from telemetry.units import canonical

Combination = Literal["sum", "mean", "max", "first"]
Bare = int | float | str


class Strict(BaseModel):
    """Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Measured(Strict):
    """A quantity of the catalogue and the unit it is sent in; None: said elsewhere, or that of the catalogue."""

    quantity: Quantity
    unit: str | None = None

    @field_validator("unit")
    @classmethod
    def _unit(cls, value: str | None) -> str | None:
        if value is not None and canonical(value) is None:
            raise ValueError(f"unknown unit '{value}'; the units and their spellings are listed in docs/devices.md")
        return value


class ValueRule(Measured):
    """One value of a message: which quantity it is, and its unit or where the unit stands.

    `part`: it is one of several (phases, tariffs, channels), which are combined so; a value of the same quantity
    without `part` is the total, and wins ("single": it counts only where it is alone). `none`: numbers by which the
    device reports that it has none. `states`: the number that each text stands for.
    """

    unit_path: str | None = None
    part: Literal["sum", "mean", "max", "single"] | None = None
    none: list[Bare] = []
    states: dict[str, float] = {}
    scale: float = 1.0


class TimeRule(Strict):
    """Where the time of a message stands. `zone`: of stamps that name none, a tz name or "city".

    `unset`: what a stamp from before 2004 means, when the device's clock was not set: "arrival" dates the reading by
    its arrival.
    """

    path: str | list[str]
    format: str | None = None
    unset: Literal["refuse", "arrival"] = "refuse"


class SessionRule(Strict):
    """A charging session in one message: names of its energy, its identity and its end. It starts at the time."""

    energy: str = "session_energy"
    id: str = "session"
    end: str = "end"


class Mapping(Strict):
    """What a message contains and where. `values`: by path; `names`: by the name of a member (a glob), looked for in
    each of `inside` ("" is the message itself).

    `unless`: a record in which this path leads to something is passed over. `each`: a list or an object of which every
    member is a record of its own; its name or place is `{key}` in `device`. `others`: what becomes of a number nothing
    asked for: "keep" keeps the message with the reason, "count" counts it.
    `frames`: quantities that one measurement of an instrument gives: where one of them is flagged, all of that time
    are. Not given: those of a particle counter (`gateway/plausible.py`).
    `combine`: how several values of one quantity become one; without it they are rejected.
    """

    device: str = "{device}"
    unless: str | None = None
    each: str | None = None
    inside: list[str] = []
    time: TimeRule | None = None
    zone: str | None = None
    values: dict[str, ValueRule] = {}
    names: dict[str, ValueRule] = {}
    catalogue: bool = False
    combine: dict[str, Combination] = {}
    frames: list[list[str]] | None = None
    none: list[Bare] = []
    decimal_comma: bool = False
    others: Literal["keep", "count"] = "count"
    ignore: list[str] = []
    retained: Literal["refuse", "skip", "take"] = "skip"
    numbered: list[str] = Field([], max_length=2)
    session: SessionRule | None = None
    options: dict[str, Any] = {}

    @field_validator("combine")
    @classmethod
    def _known(cls, value: dict[str, Combination]) -> dict[str, Combination]:
        check_quantities(value)
        return value

    @field_validator("frames")
    @classmethod
    def _frames(cls, value: list[list[str]] | None) -> list[list[str]] | None:
        names = [name for frame in value or [] for name in frame]
        check_quantities(names)
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"'{name}' is in two frames")
        return value


class Line(Strict):
    """How a serial line is set: baud rate, data bits, parity, stop bits. `request`: text that requests a telegram."""

    baud: int = Field(9600, gt=0)
    bits: Literal[7, 8] = 8
    parity: Literal["N", "E", "O"] = "N"
    stop: Literal[1, 2] = 1
    request: str = ""


class Message(Mapping):
    """One kind of message of a family. `topic`: where it comes, with {device} and other named levels.

    `has`: paths that are all there in such a message, by which `doctor` recognises it. `line`: of a device on a serial
    line; `every_s`: how often a reading is taken there.
    """

    door: Literal["mqtt", "push", "ocpp", "serial", "modbus", "file"] = "mqtt"
    topic: str
    skip: list[str] = []
    format: str = "json"
    has: list[str] = []
    line: Line = Line()
    every_s: int = Field(10, gt=0)


class Template(Mapping):
    """A device family. `gives`: what it brings, in words; `traps`: what to know about it.

    Keys of a mapping that stand above the messages hold for all of them.
    """

    title: str
    gives: str
    traps: list[str] = []
    message: list[Message] = Field(min_length=1)
