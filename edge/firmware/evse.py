"""What charging stations have in common: connector states and sessions."""

from . import files
from .records import record

FREE, CONNECTED, CHARGING, FAULT = 0, 1, 2, 3


class Sessions:
    """Makes one event of each charging session, also when the node restarts while a vehicle is connected.

    The energy is the station's own session register, or else what the meter counted in between.
    """

    def __init__(self, journal, path):
        self.journal = journal
        self.path = path
        self.open = files.load(path) or {}

    def take(self, values):
        """Look at a round of readings; return them without the running session energy."""
        found = {name: (mantissa, decimals) for name, mantissa, decimals in values}
        if "connector_state" in found:
            self._step(found["connector_state"][0], found)
        return [value for value in values if value[0] != "session_energy"]

    def _step(self, state, found):
        if state in (CONNECTED, CHARGING):
            if not self.open:
                self._begin(found)
            self._note(found)
        elif self.open and state == FREE:
            self._note(found)
            self._close()

    def _begin(self, found):
        clock = self.journal.clock
        key = "%d-%d" % (self.journal.boot, self.journal.seq)
        self.open = {"key": key, "line": clock.line, "up": clock.tenths(), "from": found.get("energy_total")}
        files.save(self.path, self.open)

    def _note(self, found):
        """Keep the largest energy seen: a station may clear its register when the vehicle leaves."""
        energy = found.get("session_energy") or self._counted(found.get("energy_total"))
        known = self.open.get("energy")
        if energy and (not known or energy[0] >= known[0]):
            self.open["energy"] = energy

    def _counted(self, total):
        start = self.open["from"]
        if total is None or start is None or total[1] != start[1] or total[0] < start[0]:
            return None
        return total[0] - start[0], total[1]

    def _close(self):
        session, self.open = self.open, {}
        files.remove(self.path)
        if session.get("energy"):
            mantissa, decimals = session["energy"]
            values = [("session_energy", mantissa, decimals)]
            self._store(values, session["key"], session["line"], session["up"])

    def _store(self, values, key, line, up):
        """Store a session that ends now; it began at `up` tenths of a second on an uptime line."""
        clock = self.journal.clock
        if self.journal.boot - line > 255:
            line, up = clock.line, 0
        end, began = clock.unix(clock.line, clock.tenths()), clock.unix(line, up)
        # Across a restart the length is only known when the time of both boots is.
        duration = end - began if end and began else clock.tenths() - (up if line == clock.line else 0)
        self.journal.put(record.SESSION, values, up, line, key, max(0, duration // 10))
