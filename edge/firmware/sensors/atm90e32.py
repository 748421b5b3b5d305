"""Microchip ATM90E32 energy meter with three current clamps, on SPI: voltages, currents, powers, frequency.

Each access is a 16-bit address, its top bit set to read, and a 16-bit value; the chip repeats the last one in register
0x78, by which the line is checked. Its energy counters are cleared when they are read, so that a lost answer would lose
energy: the node reports power, from which energy is derived where it is stored.
"""

from micropython import const

KIND = "energy"
PART = "Microchip ATM90E32 with current clamps (CircuitSetup and other boards)"
BUS = "spi"
QUANTITIES = (
    "voltage", "voltage_l2", "voltage_l3", "current", "current_l2", "current_l3", "power", "power_l1", "power_l2",
    "power_l3", "frequency", "power_factor",
)  # fmt: skip
OPTIONS = {"voltage_gain": 7305, "current_gain": 27961, "hz": 50, "phases": 3, "sample_s": 5}
WIRING = "3.3 V; SCK, MOSI, MISO, CS; a 9 V AC transformer for the voltage; clamps around one conductor each"
PARTS = ("ATM90E32 board", "9 V AC transformer", "1 to 3 current clamps with built-in burden, or 50 mA")

_LAST = const(0x78)
_UNLOCK = const(0x7F)


def setup(voltage_gain, current_gain, hz):
    """The registers to write, in this order: (address, value)."""
    out = [(0x70, 0x789A), (_UNLOCK, 0x55AA), (0x00, 1)]  # reset, unlock, begin to meter
    out += [(0x33, 0x0185 | (0x1000 if hz == 60 else 0)), (0x34, 0x0000)]  # grid frequency; clamp inputs times 1
    out += [(0x35, 0x0AFC), (0x36, 0x0AEC), (0x38, 0x00BC)]  # thresholds below which it counts nothing
    for phase in range(3):
        out += [(0x61 + 4 * phase, _of(voltage_gain, phase)), (0x62 + 4 * phase, _of(current_gain, phase))]
    return out + [(_UNLOCK, 0)]


def _of(gain, phase):
    """One gain for all, or a list with one for each phase."""
    return gain[phase] if isinstance(gain, (list, tuple)) else gain


def _signed(value, bits):
    return value - (1 << bits) if value >> bits - 1 else value


def values(get, phases):
    """The readings; `get(address)` reads a register."""
    out = []
    for n in range(phases):
        suffix = "" if n == 0 else "_l%d" % (n + 1)
        out.append(("voltage" + suffix, get(0xD9 + n), 2))
        out.append(("current" + suffix, get(0xDD + n), 3))
        out.append(("power_l%d" % (n + 1), _milliwatt(get, 0xB1 + n), 3))
    total = sum([value for name, value, _ in out if name[:5] == "power"])
    return out + [("power", total, 3), ("frequency", get(0xF8), 2), ("power_factor", _signed(get(0xBC), 16), 3)]


def _milliwatt(get, address):
    """A power of two registers: units of 0.32 mW."""
    return _signed(get(address) << 16 | get(address + 0x10), 32) * 8 // 25


class Driver:
    """Options: `sck`, `mosi`, `miso`, `cs` pins, `voltage_gain` and `current_gain` of the chip (one number, or a list
    of one for each phase; the defaults are those of a 9 V transformer and a clamp of 120 A with 40 mA), `hz`, `phases`.
    """

    SAMPLE_S = 5

    def __init__(self, board, options):
        self._board = board
        self._spi, self._select = board.spi(options)
        self._setup = setup(
            options.get("voltage_gain", 7305), options.get("current_gain", 27961), options.get("hz", 50)
        )
        self._phases = options.get("phases", 3)
        self._ready = False

    def _exchange(self, address, value=None):
        head = address | (0x8000 if value is None else 0)
        out = head.to_bytes(2, "big") + (value or 0).to_bytes(2, "big")
        answer = bytearray(4)
        self._select.value(0)
        self._spi.write_readinto(out, answer)
        self._select.value(1)
        return answer[2] << 8 | answer[3]

    def _get(self, address):
        value = self._exchange(address)
        repeated = self._exchange(_LAST)
        if repeated != value:
            raise OSError(5, "register 0x%02x: 0x%04x, repeated 0x%04x" % (address, value, repeated))
        return value

    async def read(self):
        """Return the values of the last measuring period of the chip; nothing right after a start."""
        if not self._ready:
            for address, value in self._setup:
                self._exchange(address, value)
            if self._exchange(0x00) != 1 or self._exchange(0x61) != _of(self._setup[8][1], 0):
                raise OSError(19, "no ATM90E32: it does not keep its settings")
            self._ready = True
            await self._board.sleep_ms(500)
            return []
        if self._exchange(0x00) != 1:
            self._ready = False
            raise OSError(5, "it was reset")
        return values(self._get, self._phases)
