from firmware.sensors import rain_gauge


def decode(case: dict) -> list:
    return rain_gauge.values(case["count"], case["micrometre"])
