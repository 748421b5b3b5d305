"""Tipping-bucket rain gauge: each tip closes a contact for some milliseconds."""

KIND = "weather"
PART = "tipping-bucket rain gauge (Davis, Misol, Young)"
BUS = "pin"
FIRST = True
QUANTITIES = ("rain_total",)
OPTIONS = {"micrometre": 200, "filter_ns": 12000}
WIRING = "contact between the pin and ground; 10 kohm and 100 nF against bounces"
PARTS = ("rain gauge", "10 kohm", "100 nF")


def values(count, micrometre):
    """Rain in millimetres with three decimals since the power came."""
    return [("rain_total", count * micrometre, 3)]


class Driver:
    """Options: `pin`, `micrometre` of rain for each tip (200 is 0.2 mm)."""

    def __init__(self, board, options):
        self._pulses = board.pulses(options["pin"], options)
        self._micrometre = options.get("micrometre", 200)

    async def read(self):
        """Return the rain so far."""
        return values(self._pulses.count(), self._micrometre)
