from binascii import hexlify, unhexlify

from firmware.buses import modbus


def modbus_request(case: dict) -> str:
    return hexlify(modbus.request(*case["ask"])).decode()


def modbus_answer(case: dict) -> object:
    """The register bytes of an answer, as hex."""
    unit, function, count = case["ask"]
    try:
        data = modbus.Answer(unit, function, count).feed(unhexlify(case["hex"]))
    except OSError as err:
        return err.args[1]
    return hexlify(data).decode() if data is not None else None


def scaled(case: dict) -> object:
    return modbus.scaled(unhexlify(case["hex"]), case["decimals"])
