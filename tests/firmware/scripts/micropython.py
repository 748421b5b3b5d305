"""For CPython only: the one name of MicroPython's own module that the firmware uses. MicroPython never reads this."""


def const(value: object) -> object:
    """A value that MicroPython's compiler puts in where it is used."""
    return value
