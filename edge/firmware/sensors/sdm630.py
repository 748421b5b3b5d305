"""Eastron SDM630 three-phase meter: Modbus RTU at 9600 baud, float32 registers.

Power, frequency and energy are of the whole connection; voltage and current are those of phase 1.
"""

from ..buses.modbus import Meter, scaled

KIND = "energy"
PART = "Eastron SDM630"
BUS = "rs485"
QUANTITIES = ("voltage", "current", "power", "frequency", "energy_total", "energy_export_total")
OPTIONS = {"unit": 1, "gap_ms": 100, "timeout_ms": 600}
WIRING = "RS-485 transceiver with automatic direction, or with its direction on de; 120 ohm at both ends"
PARTS = ("Eastron SDM630", "RS-485 transceiver for 3.3 V", "2 x 120 ohm")

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
        self._meter = Meter(board, options, gap_ms=100)

    async def read(self):
        """Read the three blocks."""
        out = []
        for register, count, fields in BLOCKS:
            out += values(await self._meter.read(4, register, count), fields)
        return out
