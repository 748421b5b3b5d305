"""Sensor drivers, one a file: the file's name is the name used in the configuration.

A driver is a class `Driver(board, options)` with `async read()` returning `[(quantity, mantissa, decimals), ...]`.
A value that is missing is left out; a sensor that does not answer raises OSError or asyncio.TimeoutError.
Framing and check sums stand in pure parsers beside the class; nothing is corrected or converted here.
"""


def driver(name):
    """Return the driver class of a name; ImportError when there is no such file."""
    module = __import__(__name__ + "." + name, None, None, ("Driver",))
    return module.Driver
