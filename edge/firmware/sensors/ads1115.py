"""TI ADS1115 converter on I2C, for electrochemical cells (Alphasense NO2 and O3 boards).

The electrode voltages leave the node as they are: correction needs both electrodes, the temperature and the cell's
calibration sheet, and belongs where it can be repeated.
"""

KIND = "air"
PART = "Alphasense NO2-B43F and OX-B431 on their boards, through a TI ADS1115"
BUS = "i2c"
QUANTITIES = ("no2_we", "no2_ae", "o3_we", "o3_ae")
OPTIONS = {"address": 0x48, "sample_s": 5}
NEEDS = {"channels": {"no2_we": 0, "no2_ae": 1, "o3_we": 2, "o3_ae": 3}}
WIRING = "cell boards from a quiet 5 V, each electrode to one input, below 4 V; ADS1115 at 3.3 V; SDA, SCL"
PARTS = ("ADS1115 breakout", "NO2-B43F and OX-B431 with individual sensor boards", "low-noise 5 V regulator")

# Single shot, 128 samples a second, comparator off, +-4.096 V: 125 uV a step.
_CONFIG = 0x8000 | 1 << 9 | 0x0100 | 0x0083
MICROVOLT = 125


def config(channel):
    """The configuration word that measures one input against ground."""
    return _CONFIG | (4 + channel) << 12


def microvolt(raw):
    """Two register bytes as microvolts."""
    value = raw[0] << 8 | raw[1]
    return (value - 65536 if value & 0x8000 else value) * MICROVOLT


class Driver:
    """Options: `bus`, `address` (72 to 75), `sample_s`, `channels`: inputs as `{"no2_we": 0, "no2_ae": 1}`."""

    SAMPLE_S = 5

    def __init__(self, board, options):
        self._board = board
        self._bus = board.i2c(options.get("bus", 0), options)
        self._addr = options.get("address", 0x48)
        self._channels = sorted(options["channels"].items())

    async def _measure(self, channel):
        word = config(channel)
        self._bus.writeto_mem(self._addr, 1, bytes((word >> 8, word & 255)))
        for _ in range(10):
            await self._board.sleep_ms(9)
            if self._bus.readfrom_mem(self._addr, 1, 2)[0] & 0x80:
                return microvolt(self._bus.readfrom_mem(self._addr, 0, 2))
        raise OSError(110, "the conversion does not end")

    async def read(self):
        """Measure every channel once; millivolts with three decimals."""
        out = []
        for name, channel in self._channels:  # MicroPython has no `await` in a comprehension
            out.append((name, await self._measure(channel), 3))
        return out
