"""Smart meters that push DLMS by themselves: Aidon, Kaifa, Kamstrup, Iskra, Sagemcom; also encrypted (Austria).

A push is one or several frames without a pause, every 5 to 10 s, with hourly lists between. The key comes from the grid
operator. With `auth_key` too, the tag of an authenticated push is checked.
"""

from asyncio import TimeoutError

from micropython import const

from .. import lazy
from ..buses import dlms, obis
from ..buses.serialport import SerialPort

KIND = "energy"
PART = "DLMS push on the customer interface (HAN, M-Bus) of Aidon, Kaifa, Kamstrup, Iskra, Sagemcom"
BUS = "uart"
QUANTITIES = (
    "energy_total", "energy_export_total", "power", "voltage", "voltage_l2", "voltage_l3", "current", "current_l2",
    "current_l3", "power_l1", "power_l2", "power_l3", "frequency",
)  # fmt: skip
OPTIONS = {"key": "", "auth_key": ""}
WIRING = "M-Bus slave converter (TSS721 or NCN5150) at 3.3 V, or the HAN plug's level shifter; its TX to rx; no tx"
PARTS = ("M-Bus slave converter or HAN adapter", "RJ12 or RJ45 cable")

_SILENCE_MS = const(12000)
_GAP_MS = const(300)  # between two pushes, never inside one
_MOST = const(3072)


class Driver:
    """Options: `port`, `baud` (2400), `parity` (0: even, as M-Bus; leave out for none), `key` and `auth_key` of 32
    hexadecimal digits.
    """

    def __init__(self, board, options):
        self._board = board
        self._options = options
        self._port = SerialPort(board, options, 2400)

    async def _push(self):
        """The bytes of one push: until the line is silent."""
        data = await self._port.some(_SILENCE_MS, 256)
        try:
            while len(data) < _MOST:
                data += await self._port.some(_GAP_MS, 256)
        except (OSError, TimeoutError):
            pass
        return data

    async def _plain(self, message):
        if message[:1] != b"\xdb":
            return message
        key = self._options.get("key")
        if not key:
            raise OSError(13, "encrypted: give its key")
        frames = lazy.load("buses.ciphered").Frames(key, self._options.get("auth_key", ""))
        return await frames.feed(self._board, message)

    async def read(self):
        """Return the values of the next push that has some; the caller limits the time."""
        self._port.flush()
        while True:
            try:
                plain = await self._plain(dlms.message(await self._push()))
                items = dlms.notification(plain)
                out = obis.values(dlms.objects(items)) if isinstance(items, list) else []
            except ValueError:
                continue  # cut off, changed on its way, or of another key: wait for the next
            if out:
                return out
