from binascii import unhexlify

from firmware.sensors import ds18b20


def decode(case: dict) -> object:
    raw = unhexlify(case["raw"])
    return ds18b20.value(raw + bytes((ds18b20.crc8(raw),)))
