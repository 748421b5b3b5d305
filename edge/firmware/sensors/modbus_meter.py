"""Meters on Modbus RTU by a table of registers: Eastron SDM120, SDM72D, SDM230, SDM630, and what the option `registers`
describes. Several of them share one RS-485 line, each with its unit and a channel.
"""

from ..buses.modbus import Meter, scaled

KIND = "energy"
PART = "Eastron SDM120, SDM230, SDM72D-M, SDM630; others by `registers`"
BUS = "rs485"
QUANTITIES = ("voltage", "voltage_l2", "voltage_l3", "current", "current_l2", "current_l3", "power", "power_factor",
    "frequency", "energy_total", "energy_export_total")  # fmt: skip
OPTIONS = {"unit": 1, "gap_ms": 100, "timeout_ms": 600, "registers": []}
NEEDS = {"model": "sdm120"}
WIRING = "RS-485 transceiver with automatic direction, or with its direction on de; 120 ohm at both ends of the line"
PARTS = ("the meters", "RS-485 transceiver for 3.3 V", "2 x 120 ohm")

# function, first register, count, ((quantity, offset in registers, kind, decimals), ...)
# Kinds: f float32, u u16, s s16, U u32, S s32, all big-endian with the high word first; lower-case w: low word first.
# Energies are kWh with three decimals and leave as Wh.
_E = (("energy_total", 0, "f", 3), ("energy_export_total", 2, "f", 3))
MODELS = {
    "sdm120": (
        (4, 0x00, 14, (("voltage", 0, "f", 2), ("current", 6, "f", 3), ("power", 12, "f", 1))),
        (4, 0x1E, 2, (("power_factor", 0, "f", 3),)),
        (4, 0x46, 6, (("frequency", 0, "f", 2),) + tuple([(n, at + 2, k, d) for n, at, k, d in _E])),
    ),
    "sdm72d": (
        (4, 0x34, 2, (("power", 0, "f", 1),)),
        (4, 0x48, 4, _E),
    ),
    "sdm630": (
        (4, 0x00, 12, (("voltage", 0, "f", 2), ("voltage_l2", 2, "f", 2), ("voltage_l3", 4, "f", 2),
            ("current", 6, "f", 3), ("current_l2", 8, "f", 3), ("current_l3", 10, "f", 3))),
        (4, 0x34, 2, (("power", 0, "f", 1),)),
        (4, 0x46, 6, (("frequency", 0, "f", 2),) + tuple([(n, at + 2, k, d) for n, at, k, d in _E])),
    ),
}  # fmt: skip
MODELS["sdm230"] = MODELS["sdm120"]
_GAPS_MS = {"sdm72d": 500}  # restarts when it is read faster


def number(data, at, kind, decimals):
    """One value of a block as an integer of `decimals` places; None where the meter says that it has none."""
    if kind == "f":
        return scaled(data[2 * at : 2 * at + 4], decimals)
    size = 2 if kind in "us" else 4
    raw = data[2 * at : 2 * at + size]
    if kind in "wW":
        raw = raw[2:] + raw[:2]
    value = int.from_bytes(raw, "big")
    if kind in "sSW" and value >> (8 * size - 1):
        value -= 1 << 8 * size
    return value


def values(data, fields):
    """Turn one block of registers into readings."""
    out = []
    for name, at, kind, decimals in fields:
        value = number(data, at, kind, decimals)
        if value is None:
            continue
        # Integers of a table have their own decimals; kWh with three are Wh.
        out.append((name, value, 0) if name.startswith("energy") and decimals == 3 else (name, value, decimals))
    return out


class Driver:
    """Options: `port`, `unit`, `channel`, `baud`, `model`, or `registers`: [[function, register, count, [[quantity,
    offset, kind, decimals], ...]], ...].
    """

    def __init__(self, board, options):
        model = options.get("model", "")
        self._blocks = options.get("registers") or MODELS[model]
        self._meter = Meter(board, options, gap_ms=_GAPS_MS.get(model, 100))

    async def read(self):
        """Read the blocks of the model."""
        out = []
        for function, register, count, fields in self._blocks:
            out += values(await self._meter.read(function, register, count), fields)
        return out
