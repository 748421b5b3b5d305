from binascii import hexlify

from firmware.sensors import sgp41


def sgp41_ticks(case: dict) -> str:
    return hexlify(sgp41.ticks(*case["air"])).decode()
