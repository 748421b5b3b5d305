from binascii import unhexlify

from firmware.sensors import modbus_evse


def evse(case: dict) -> list:
    return modbus_evse.MODELS[case["model"]][3](unhexlify(case["hex"]))
