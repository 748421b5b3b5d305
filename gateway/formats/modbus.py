"""Registers of a Modbus device as the Modbus door reads them: `{"blocks": [[function, first, [words]]], "models": {}}`.

Options: the table of registers (`gateway/decoding/registers.py`). Gives one object of values with their units by the
names of the table; a register that holds no value is left out.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.decoding.registers import table, value
from gateway.formats import Read
from telemetry.errors import Rejected

MAY_CARRY_USERS = False


class Registers(msgspec.Struct):
    """What was read of a device. `models`: SunSpec model -> its address."""

    blocks: list[tuple[int, int, list[int]]]
    models: dict[int, int] = {}


_decoder = msgspec.json.Decoder(Registers)


def reader(options: dict[str, Any]) -> Read:
    """A reader with this table. Raises UsageError for one that is not right."""
    known = table(options)

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:  # noqa: ARG001 - every format is called so
        try:
            said = _decoder.decode(payload)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Rejected(f"not registers of a Modbus device: {error}") from error
        words = {(f, first + n): w for f, first, found in said.blocks for n, w in enumerate(found) if 0 <= w < 65536}
        bases = said.models if known.is_sunspec else {0: 0}
        found: dict[str, Any] = {}
        for model, registers in known.models.items():
            for register in registers if model in bases else ():
                number = value(register, words, bases[model], known.low_first)
                if number is not None:
                    found[register.name] = {"value": number, "unit": register.unit} if register.unit else number
        if not found:
            raise Rejected("none of the registers holds a value")
        return [found]

    return read
