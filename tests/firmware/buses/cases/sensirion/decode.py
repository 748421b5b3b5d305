from binascii import unhexlify

from firmware.buses import sensirion


def crc8(case: dict) -> int:
    return sensirion.crc8(unhexlify(case["hex"]))
