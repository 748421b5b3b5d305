from binascii import hexlify, unhexlify

from firmware.sensors import sps30


def sps30_question(case: dict) -> str:
    return hexlify(sps30.question(case["command"], unhexlify(case["data"]))).decode()


def decode(case: dict) -> list:
    return [
        [command, state, sps30.values(data) if len(data) == 40 else len(data)]
        for command, state, data in sps30.Parser().feed(unhexlify(case["hex"]))
    ]
