"""Peacefair PZEM-004T v3 single-phase meter: Modbus RTU at 9600 baud, ten input registers."""

from ..buses.modbus import Meter

KIND = "energy"
PART = "Peacefair PZEM-004T v3"
BUS = "uart"
FIRST = True
QUANTITIES = ("voltage", "current", "power", "energy_total", "frequency", "power_factor")
OPTIONS = {"unit": 1, "gap_ms": 20, "timeout_ms": 600}
WIRING = "its logic side from 5 V with a level shifter; TX, RX crossed. Mains: an electrician connects it"
PARTS = ("PZEM-004T v3 with its current transformer", "level shifter 5 V to 3.3 V")

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
        self._meter = Meter(board, options)

    async def read(self):
        """Read all registers at once."""
        return values(await self._meter.read(4, 0, REGISTERS))
