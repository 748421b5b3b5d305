"""The quantities a node can record: catalogue id and unit, in the order of their codes on flash.

Made by `python -m edge.tools.quantities` from the catalogue of `telemetry` and what the drivers declare. The line in
the table is the code stored in the ring, so lines are only ever appended. A dot marks counters and states, of which an
interval keeps the last value and no mean. One text holds them all: as a tuple of texts they would take three times the
memory.
"""

from micropython import const

_TABLE = const(
    "\npm1 ug/m3\npm2_5 ug/m3\npm10 ug/m3\nno2_we mV\nno2_ae mV\no3_we mV\no3_ae mV\nco2 ppm\ntemperature Cel"
    "\nhumidity %RH\npressure hPa\nvoltage V\ncurrent A\npower W\nfrequency Hz\npower_factor /\nenergy_total Wh ."
    "\nenergy_export_total Wh .\nsession_energy Wh .\nconnector_state / .\npulses count .\nheap_free B\nuptime s"
    "\nboots count\nreset_cause / .\nrssi dBm\nring_fill %\nring_dropped count .\nclock_offset s\nvoltage_l2 V"
    "\nvoltage_l3 V\ncurrent_l2 A\ncurrent_l3 A\npower_l1 W\npower_l2 W\npower_l3 W\ngas_total m3 .\nwater_total m3 ."
    "\nheat_total Wh .\npower_failures count .\npower_failures_long count .\npower_failure s .\nbattery V"
    "\nchannels count\nwind_speed m/s\nwind_gust m/s\nrain_total mm .\npm4 ug/m3\nvoc_index /\nnox_index /"
    "\ngas_resistance Ohm\nlaeq dB\nla10 dB\nla90 dB\nvoc_raw /\nnox_raw /\n"
)


def _find(name):
    at = _TABLE.find("\n" + name + " ")
    if at < 0:
        raise KeyError(name)
    return at


def code(name):
    """The code of a quantity; KeyError when it is not in the table."""
    return _TABLE.count("\n", 0, _find(name))


def is_mean(name):
    """Whether the values of an interval are averaged; KeyError when the quantity is not in the table."""
    return _TABLE[_TABLE.index("\n", _find(name) + 1) - 1] != "."


def name_and_unit(number):
    """The catalogue id and the unit of a code; ValueError when there is no such code."""
    at = 0
    for _ in range(number):
        at = _TABLE.index("\n", at + 1)
    return _TABLE[at + 1 : _TABLE.index("\n", at + 1)].split(" ")[:2]
