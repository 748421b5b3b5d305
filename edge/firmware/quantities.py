"""The quantities a node can record: catalogue id and unit, in the order of their codes on flash.

The line in the table is the code stored in the ring, so lines are only ever appended. One text holds them all: as a
tuple of texts they would take three times the memory.
"""

from micropython import const

_TABLE = const(
    "\npm1 ug/m3\npm2_5 ug/m3\npm10 ug/m3\nno2_we mV\nno2_ae mV\no3_we mV\no3_ae mV\nco2 ppm\ntemperature Cel"
    "\nhumidity %RH\npressure hPa\nvoltage V\ncurrent A\npower W\nfrequency Hz\npower_factor /\nenergy_total Wh"
    "\nenergy_export_total Wh\nsession_energy Wh\nconnector_state /\npulses count\nheap_free B\nuptime s\nboots count"
    "\nreset_cause /\nrssi dBm\nring_fill %\nring_dropped count\nclock_offset s\n"
)


def code(name):
    """The code of a quantity; KeyError when it is not in the table."""
    at = _TABLE.find("\n" + name + " ")
    if at < 0:
        raise KeyError(name)
    return _TABLE.count("\n", 0, at)


def name_and_unit(number):
    """The catalogue id and the unit of a code; ValueError when there is no such code."""
    at = 0
    for _ in range(number):
        at = _TABLE.index("\n", at + 1)
    return _TABLE[at + 1 : _TABLE.index("\n", at + 1)].split(" ")
