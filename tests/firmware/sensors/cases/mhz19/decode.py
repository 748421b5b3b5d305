from binascii import hexlify, unhexlify

from firmware.sensors import mhz19


def mhz19_command(case: dict) -> str:
    return hexlify(mhz19.framed(case["command"])).decode()


def decode(case: dict) -> object:
    return mhz19.Parser().feed(unhexlify(case["hex"]))
