"""Charging stations on Modbus RTU, read only. One entry of `MODELS` is one model.

`abb_terra` rests on a public copy of the manual and was not tried on hardware: once polled it must be polled on, or it
may end the charging session. `heidelberg` counts VAh, not Wh, so its energy is left out: add a meter to the node.
"""

from ..buses.modbus import Meter
from ..evse import CHARGING, CONNECTED, FAULT, FREE

KIND = "charger"
PART = "ABB Terra AC, Heidelberg"
BUS = "rs485"
QUANTITIES = ("connector_state", "current", "voltage", "power", "session_energy")
OPTIONS = {"unit": 1, "gap_ms": 20, "timeout_ms": 600}
NEEDS = {"model": "abb_terra"}
WIRING = "RS-485 transceiver"
PARTS = ("RS-485 transceiver for 3.3 V",)


def _u16(data, at):
    return data[at] << 8 | data[at + 1]


def _u32(data, at):
    return _u16(data, at) << 16 | _u16(data, at + 2)


def _state(code, table):
    return [("connector_state", table[code], 0)] if code in table else []


_ABB_STATES = {0: FREE, 1: CONNECTED, 2: CONNECTED, 3: CHARGING, 4: CHARGING, 5: FAULT}
_HEIDELBERG_STATES = {
    2: FREE,
    3: FREE,
    4: CONNECTED,
    5: CONNECTED,
    6: CHARGING,
    7: CHARGING,
    8: CHARGING,
    9: FAULT,
    10: FAULT,
    11: FAULT,
}


def abb_terra(data):
    """Registers 400C to 401F, all u32."""
    out = _state(data[2] & 0x7F, _ABB_STATES)
    out += [("current", _u32(data, 8), 3), ("voltage", _u32(data, 20), 1)]
    return out + [("power", _u32(data, 32), 0), ("session_energy", _u32(data, 36), 0)]


def heidelberg(data):
    """Registers 5 to 10: state, three currents in tenths, board temperature, voltage."""
    out = _state(_u16(data, 0), _HEIDELBERG_STATES)
    return out + [("current", _u16(data, 2), 1), ("voltage", _u16(data, 10), 0)]


# model: (function, first register, number of registers, how to read them)
MODELS = {"abb_terra": (3, 0x400C, 20, abb_terra), "heidelberg": (4, 5, 6, heidelberg)}


class Driver:
    """Options: `port`, `model`, `unit`, `baud`."""

    def __init__(self, board, options):
        self._meter = Meter(board, options, 19200)
        self._model = MODELS[options["model"]]

    async def read(self):
        """Read the model's registers."""
        function, register, count, values = self._model
        return values(await self._meter.read(function, register, count))
