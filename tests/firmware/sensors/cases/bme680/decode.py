from binascii import unhexlify

from firmware.sensors import bme680


def decode(case: dict) -> list:
    """Temperature, pressure and humidity."""
    chip = bme680.Calibration(*[unhexlify(case[key]) for key in ("low", "high", "heat")])
    fine = chip.fine(case["t"])
    return [fine * 5 + 128 >> 8, chip.pressure(case["p"], fine), chip.humidity(case["h"], fine)]
