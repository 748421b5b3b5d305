"""The quantities a node can record: catalogue id and unit, in the order of their codes on flash.

The position in the table is the code stored in the ring, so entries are only ever appended.
"""

TABLE = (
    "pm1 ug/m3",
    "pm2_5 ug/m3",
    "pm10 ug/m3",
    "no2_we mV",
    "no2_ae mV",
    "o3_we mV",
    "o3_ae mV",
    "co2 ppm",
    "temperature Cel",
    "humidity %RH",
    "pressure hPa",
    "voltage V",
    "current A",
    "power W",
    "frequency Hz",
    "power_factor /",
    "energy_total Wh",
    "energy_export_total Wh",
    "session_energy Wh",
    "connector_state /",
    "pulses count",
    "heap_free B",
    "uptime s",
    "boots count",
    "reset_cause /",
    "rssi dBm",
    "ring_fill %",
    "ring_dropped count",
    "clock_offset s",
)


def code(name):
    """The code of a quantity; KeyError when it is not in the table."""
    start = name + " "
    for i, row in enumerate(TABLE):
        if row.startswith(start):
            return i
    raise KeyError(name)


def name_and_unit(number):
    """The catalogue id and the unit of a code."""
    return TABLE[number].split(" ")
