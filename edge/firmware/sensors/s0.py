"""S0 pulse output of a meter (IEC 62053-31): the number of pulses since the node started.

With `per_kwh` the same count is also given as energy. After a reset the count begins at 0 again, as a counter may.
"""


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
