from binascii import unhexlify

from firmware.sensors import ads1115


def ads1115_config(case: dict) -> int:
    return ads1115.config(case["channel"])


def decode(case: dict) -> int:
    return ads1115.microvolt(unhexlify(case["hex"]))
