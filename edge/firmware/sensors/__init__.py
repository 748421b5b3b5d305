"""Sensor drivers, one a file: the file's name is the name used in the configuration.

A driver is a class `Driver(board, options)` with `async read()` returning `[(quantity, mantissa, decimals), ...]`.
A value that is missing is left out; a sensor that does not answer raises OSError or asyncio.TimeoutError.
Framing and checksums stand in pure parsers beside the class; nothing is corrected or converted here.

Each file declares, as plain data that the host's tools read from the source (the build leaves it out of the node):
`PART` what it reads, `BUS` uart, rs485, i2c, pin, adc, i2s or onewire, `QUANTITIES`, `OPTIONS` with their defaults,
`NEEDS` options that must be given with an example, `WIRING`, `PARTS` (bill of materials), `FIRST` if a new node of its
`KIND` (air, energy, charger, weather, noise) gets it. Only `KIND` is used on the node.
"""
