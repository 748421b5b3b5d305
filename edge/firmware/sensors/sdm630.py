"""Eastron SDM630 three-phase meter: Modbus RTU at 9600 baud, float32 registers.

Power, frequency and energy are of the whole connection; voltage and current are those of phase 1.
"""

from ..modbus import Bus, scaled

# register, number of registers, ((quantity, offset in bytes, decimals), ...); energies are kWh and leave as Wh
BLOCKS = (
    (0x0000, 8, (("voltage", 0, 2), ("current", 12, 3))),
    (0x0034, 2, (("power", 0, 1),)),
    (0x0046, 6, (("frequency", 0, 2), ("energy_total", 4, 3), ("energy_export_total", 8, 3))),
)


def values(data, fields):
    """Turn one block of registers into readings; NaN is left out."""
    out = []
    for name, at, decimals in fields:
        value = scaled(data[at : at + 4], decimals)
        if value is not None:
            out.append((name, value, 0 if name.startswith("energy") else decimals))
    return out


class Driver:
    """Options: `port` (UART number), `unit`, `baud`."""

    def __init__(self, board, options):
        self._bus = Bus(board, options, 9600)
        self._unit = options.get("unit", 1)

    async def read(self):
        """Read the three blocks."""
        out = []
        for register, count, fields in BLOCKS:
            out += values(await self._bus.read(self._unit, 4, register, count), fields)
        return out
