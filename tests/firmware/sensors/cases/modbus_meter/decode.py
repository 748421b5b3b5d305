from binascii import unhexlify

from firmware.sensors import modbus_meter


def register(case: dict) -> object:
    return modbus_meter.number(unhexlify(case["hex"]), 0, case["kind"], 0)


def decode(case: dict) -> list:
    return modbus_meter.values(unhexlify(case["hex"]), modbus_meter.MODELS[case["model"]][case["block"]][3])
