"""Peacefair PZEM-004T v3 single-phase meter: Modbus RTU at 9600 baud, ten input registers."""

from ..modbus import Bus

REGISTERS = 10


def values(data):
    """Turn the registers into readings: 0.1 V, mA, 0.1 W, Wh, 0.1 Hz, 0.01."""
    reg = [data[i] << 8 | data[i + 1] for i in range(0, 20, 2)]
    return [
        ("voltage", reg[0], 1),
        ("current", reg[1] | reg[2] << 16, 3),
        ("power", reg[3] | reg[4] << 16, 1),
        ("energy_total", reg[5] | reg[6] << 16, 0),
        ("frequency", reg[7], 1),
        ("power_factor", reg[8], 2),
    ]


class Driver:
    """Options: `port` (UART number), `unit` (248 answers whatever the address is, with one device on the line)."""

    def __init__(self, board, options):
        self._bus = Bus(board, options, 9600)
        self._unit = options.get("unit", 1)

    async def read(self):
        """Read all registers at once."""
        return values(await self._bus.read(self._unit, 4, 0, REGISTERS))
