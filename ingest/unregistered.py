"""Log lines about devices and quantities that arrive and are used by no KPI, each once."""

from __future__ import annotations

import logging

import numpy as np

from registry.city import City
from registry.unregistered import COMPARED, unregistered
from telemetry.partials import Partials
from telemetry.series import SeriesTable

log = logging.getLogger(__name__)

_MOST_LINES = 200  # about devices of a city


class Unregistered:
    """What was looked up of one city."""

    def __init__(self, city: City, table: SeriesTable) -> None:
        self._city, self._table = city, table
        self._seen = np.zeros(0, dtype=np.bool_)  # of each series whether its registry entry was looked up
        self._logged = 0  # devices

    def log(self, windows: Partials) -> None:
        """Log each device and quantity that arrives for the first time and is used by no KPI."""
        if len(self._seen) < len(self._table):
            self._seen = np.append(self._seen, np.zeros(len(self._table) - len(self._seen), dtype=np.bool_))
        new = np.unique(windows.series[~self._seen[windows.series]])
        if not len(new):
            return
        self._seen[new] = True
        names = [(self._table[s].device, self._table[s].quantity) for s in new.tolist()]
        for found in unregistered(self._city, names, COMPARED if self._logged < _MOST_LINES else 0):
            self._logged += 1
            if self._logged <= _MOST_LINES:
                log.warning("unregistered: %s", found.sentence())
            elif self._logged == _MOST_LINES + 1:
                log.warning("unregistered: more than %d devices; `cityvitals doctor` lists them", _MOST_LINES)
