from binascii import unhexlify

from firmware.sensors import bme280


def decode(case: dict) -> list:
    """All channels from calibration bytes and ADC values."""
    chip = bme280.Calibration(unhexlify(case["low"]), unhexlify(case["high"]))
    fine = chip.fine(case["t"])
    return [fine, chip.temperature(fine), chip.pressure(case["p"], fine), chip.humidity(case["h"], fine)]
