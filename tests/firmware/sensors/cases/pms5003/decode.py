from binascii import hexlify, unhexlify

from firmware.sensors import pms5003


def pms5003_command(case: dict) -> str:
    return hexlify(pms5003.command(*case["args"])).decode()


def decode(case: dict) -> list:
    return [pms5003.words(frame) for frame in pms5003.frames().feed(unhexlify(case["hex"]))]
