from firmware.sensors import atm90e32


def decode(case: dict) -> list:
    """The readings of a map of registers, by address as `hex` writes it; others are 0."""
    return atm90e32.values(lambda address: case["registers"].get(hex(address), 0), case["phases"])
