"""S0 pulse output of a meter (IEC 62053-31): the number of pulses since the node started.

With `per_kwh` the same count is also given as energy. After a reset the count begins at 0 again, as a counter may.
"""

KIND = "energy"
PART = "S0 pulse output of a meter (IEC 62053-31)"
BUS = "pin"
QUANTITIES = ("pulses", "energy_total")
OPTIONS = {"per_kwh": 1000, "filter_ns": 12000}
WIRING = "contact to ground, internal pull-up; 10 kohm and 100 nF against bounces"
PARTS = ("10 kohm", "100 nF")


def values(count, per_kwh):
    """Turn a count into readings; energy in tenths of a Wh."""
    out = [("pulses", count, 0)]
    if per_kwh:
        out.append(("energy_total", count * 10000 // per_kwh, 1))
    return out


class Driver:
    """Options: `pin`, `per_kwh`, `debounce_ms`."""

    def __init__(self, board, options):
        self._pulses = board.pulses(options["pin"], options)
        self._per_kwh = options.get("per_kwh", 0)

    async def read(self):
        """Return the count now."""
        return values(self._pulses.count(), self._per_kwh)
