"""Tables of Modbus registers: which to read together, and their words as values with units. Pure.

A table is the option `registers` of a device family, `{name = {at, type, unit, scale, scale_at, function}}`, or under
`sunspec` one such table for each model of a SunSpec device, `at` counted from the model's id. Types: u16 s16 u32 s32
u64 s64 f32. Numbers of several words have the high word first, with `words = "low"` the low word.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from telemetry.errors import UsageError, nearest

_SIZES = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "s64": 4, "f32": 2}
_KEYS = ("at", "type", "unit", "scale", "scale_at", "function")
_OPTIONS = ("registers", "sunspec", "function", "words", "longest")
_GAP = 12  # registers between two that are needed, read with them to save a request
LONGEST = 60  # registers in one request: what small meters answer

Words = Mapping[tuple[int, int], int]  # (function, address) -> word


class Register(NamedTuple):
    """One value. `scale_at`: the register with the power of ten by which it is multiplied."""

    name: str
    at: int
    type: str
    unit: str | None
    scale: float
    scale_at: int | None
    function: int

    @property
    def size(self) -> int:
        """How many registers it fills."""
        return _SIZES[self.type]


class Table(NamedTuple):
    """All registers of a family: by SunSpec model, or under 0 those at fixed addresses."""

    models: dict[int, list[Register]]
    low_first: bool
    longest: int

    @property
    def is_sunspec(self) -> bool:
        """Whether the models' addresses have to be found on the device."""
        return 0 not in self.models


def table(options: Mapping[str, Any]) -> Table:
    """The table of a family's options. Raises UsageError with a sentence that names the register."""
    for key in options:
        if key not in _OPTIONS:
            raise UsageError(f"The format 'modbus' has no option '{key}'; {nearest(key, _OPTIONS)}")
    function, words = options.get("function", 3), options.get("words", "high")
    if words not in ("high", "low"):
        raise UsageError('The option `words` of the format \'modbus\' is "high" or "low".')
    raw = options.get("sunspec") or {"0": options.get("registers", {})}
    models = {
        int(model): [_register(name, entry, function) for name, entry in registers.items()]
        for model, registers in raw.items()
    }
    if not any(models.values()):
        raise UsageError("The format 'modbus' needs a table `registers` in its options.")
    return Table(models, words == "low", int(options.get("longest", LONGEST)))


def _register(name: str, entry: Any, function: int) -> Register:  # noqa: ANN401 - from TOML
    if not isinstance(entry, dict) or not isinstance(entry.get("at"), int) or not 0 <= entry["at"] < 65536:
        raise UsageError(f"The register '{name}' needs its address: {{ at = 0x0048, type = \"f32\" }}.")
    for key in entry:
        if key not in _KEYS:
            raise UsageError(f"The register '{name}' has an unknown key '{key}'; {nearest(key, _KEYS)}")
    kind = entry.get("type", "u16")
    if kind not in _SIZES:
        raise UsageError(f"The register '{name}' has the unknown type '{kind}'; {nearest(str(kind), _SIZES)}")
    used = entry.get("function", function)
    if used not in (3, 4):
        raise UsageError(f"The register '{name}' is read by function 3 or 4, not {used}.")
    return Register(
        name, entry["at"], kind, entry.get("unit"), float(entry.get("scale", 1.0)), entry.get("scale_at"), used
    )


class Block(NamedTuple):
    """Registers that are read in one request."""

    function: int
    first: int
    length: int


def blocks(registers: Iterable[Register], base: int = 0, longest: int = LONGEST) -> list[Block]:
    """The fewest requests for registers; none is longer than `longest`, and a value is never split."""
    parts = {(r.function, base + r.at, r.size) for r in registers}
    parts |= {(r.function, base + r.scale_at, 1) for r in registers if r.scale_at is not None}
    found: list[Block] = []
    for function, at, size in sorted(parts):
        last = found[-1] if found else None
        end = last.first + last.length if last else 0
        if last and last.function == function and at <= end + _GAP and at + size - last.first <= longest:
            found[-1] = last._replace(length=max(last.length, at + size - last.first))
        else:
            found.append(Block(function, at, size))
    return found


def value(register: Register, words: Words, base: int, low_first: bool) -> float | None:
    """A value in its unit; None where a register is missing or holds the mark of "no value"."""
    found = [words.get((register.function, base + register.at + place)) for place in range(register.size)]
    if None in found:
        return None
    number = _number(register.type, [word for word in found if word is not None], low_first)
    if number is None or register.scale_at is None:
        return None if number is None else number * register.scale
    tens = words.get((register.function, base + register.scale_at))
    exponent = None if tens is None else _number("s16", [tens], False)
    return None if exponent is None or abs(exponent) > 12 else number * register.scale * 10.0**exponent


def _number(kind: str, found: list[int], low_first: bool) -> float | None:
    ordered = found[::-1] if low_first else found
    raw = b"".join(word.to_bytes(2, "big") for word in ordered)
    if kind == "f32":
        decoded = struct.unpack(">f", raw)[0]
        return float(f"{decoded:.7g}") if math.isfinite(decoded) else None
    bits = 8 * len(raw)
    number = int.from_bytes(raw, "big", signed=kind[0] == "s")
    unset = {(1 << bits) - 1} if kind[0] == "u" else {-(1 << bits - 1), (1 << bits - 1) - 1}
    return None if number in unset else float(number)
