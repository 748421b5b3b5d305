from binascii import hexlify, unhexlify

from firmware.sensors import sds011


def sds011_command(case: dict) -> str:
    return hexlify(sds011.command(*case["args"])).decode()


def decode(case: dict) -> list:
    return [sds011.tenths(frame) for frame in sds011.frames().feed(unhexlify(case["hex"]))]
