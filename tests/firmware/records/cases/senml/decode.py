from firmware.records import senml


def decimal(case: dict) -> str:
    return senml.decimal(case["mantissa"], case["decimals"])
