from firmware.sensors import s0


def decode(case: dict) -> list:
    return s0.values(case["count"], case["per_kwh"])
