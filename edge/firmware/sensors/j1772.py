"""SAE J1772 / IEC 61851 control pilot of a charging station, read only: what its voltage says of the connector.

The pilot is constant or a square wave of 1 kHz down to -12 V; its highest voltage is the state. A divider brings it
into the range of the board's converter; the highest of many samples is the top. Energy comes from a meter on the same
node.
"""

from micropython import const

from ..evse import CHARGING, CONNECTED, FAULT, FREE

KIND = "charger"
PART = "control pilot of any J1772 / IEC 61851 station"
BUS = "adc"
QUANTITIES = ("connector_state",)
OPTIONS = {"zero_mv": 1282, "ratio": 11444}
WIRING = "divider of 120 kohm from the pilot, 27 kohm to 3.3 V, 20 kohm to ground, its middle to the pin; common ground"
PARTS = ("120 kohm, 27 kohm, 20 kohm, 1 %",)

_SAMPLES = const(100)  # about 8 ms: the top of a 10 % wave is missed once in 30,000 times and sampled twice
_PEAKS = const(12)
_AGREE = const(3)  # as many equal tops make a state: a relay bounces for some milliseconds
_MARGIN = const(300)  # mV beyond a limit before a known state is given up

# No vehicle, connected, charging, with ventilation, and two faults: no pilot, station out of order. From and to in mV;
# the limits lie half way between the nominal 12, 9, 6, 3, 0 and -12 V.
STATES = (
    ("A", 10500, 14000, FREE),
    ("B", 7500, 10500, CONNECTED),
    ("C", 4500, 7500, CHARGING),
    ("D", 1500, 4500, CHARGING),
    ("E", -6000, 1500, FAULT),
    ("F", -14000, -6000, FAULT),
)


class Pilot:
    """Makes one steady state out of tops, in millivolts."""

    def __init__(self):
        self._state = None
        self._next = None
        self._seen = 0

    def _band(self, millivolt):
        """The state of a top; a known one is kept a little beyond its limits; None where no pilot can be."""
        known = self._state
        if known and known[1] - _MARGIN <= millivolt <= known[2] + _MARGIN:
            return known
        for state in STATES:
            if state[1] <= millivolt <= state[2]:
                return state
        return None

    def feed(self, millivolt):
        """Take a top; return its row of STATES once it is steady, else None."""
        state = self._band(millivolt)
        self._seen = self._seen + 1 if state is self._next else 1
        self._next = state
        if self._seen < _AGREE:
            return None
        self._state = state
        return state


class Driver:
    """Options: `pin`, `zero_mv` at the pin for a pilot of 0 V, `ratio`: thousandths of a pilot mV for each of the pin.

    What is left out is that of 120 kohm from the pilot, 27 kohm to 3.3 V and 20 kohm to ground.
    """

    def __init__(self, board, options):
        self._board = board
        self._adc = board.analog(options["pin"])
        self._zero = options.get("zero_mv", 1282)
        self._ratio = options.get("ratio", 11444)
        self._pilot = Pilot()

    def _top(self):
        top = 0
        for _ in range(_SAMPLES):
            top = max(top, self._adc.read_uv())
        return (top // 1000 - self._zero) * self._ratio // 1000

    async def read(self):
        """Return the connector's state; nothing when the pilot does not come to rest or the divider is broken."""
        for _ in range(_PEAKS):
            state = self._pilot.feed(self._top())
            if state:
                return [("connector_state", state[3], 0)]
            await self._board.sleep_ms(7)
        return []
