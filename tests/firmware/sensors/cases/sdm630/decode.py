from binascii import unhexlify

from firmware.sensors import sdm630


def decode(case: dict) -> list:
    return sdm630.values(unhexlify(case["hex"]), sdm630.BLOCKS[case["block"]][2])
