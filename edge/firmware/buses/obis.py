"""Meter values by their OBIS codes (IEC 62056-61), as P1 ports, optical heads and DLMS pushes give them.

`found` maps the code without medium and channel (`1.8.0`) to `(mantissa, decimals, unit)`. Of an energy the total
register counts; where a meter has none, the sum of its tariffs. Both together would count twice.
"""

_PHASES = ("", "_l2", "_l3")


def to_base(value):
    """kWh, kW, MWh as Wh and W: (3808351, 3, "kWh") is (3808351, 0)."""
    mantissa, decimals, unit = value
    unit = unit.lower()
    shift = 6 if unit[:2] == "mw" else 3 if unit[:1] == "k" else 0
    if shift >= decimals:
        return mantissa * 10 ** (shift - decimals), 0
    return mantissa, decimals - shift


def number(text):
    """Read `003808.351*kWh` as (3808351, 3, "kWh"); None when it is not a number with a unit."""
    digits, _, unit = text.partition("*")
    sign = -1 if digits[:1] == "-" else 1
    whole, _, part = digits.lstrip("-").partition(".")
    if not (whole + part).isdigit() or not unit:
        return None
    return sign * int(whole + part), len(part), unit


def total(found, code):
    """(mantissa, decimals) of an energy: `1.8` is that of register 1.8.0, or else of its tariffs 1 to 4."""
    if code + ".0" in found:
        return to_base(found[code + ".0"])
    tariffs = [to_base(found[code + key]) for key in (".1", ".2", ".3", ".4") if code + key in found]
    if not tariffs:
        return None
    decimals = max([value[1] for value in tariffs])
    return sum([mantissa * 10 ** (decimals - places) for mantissa, places in tariffs]), decimals


def difference(found, plus, minus):
    """Power taken minus power given back; None where the meter reports neither."""
    pair = [to_base(found[code]) if code in found else None for code in (plus, minus)]
    if pair == [None, None]:
        return None
    taken, given = pair[0] or (0, 0), pair[1] or (0, 0)
    decimals = max(taken[1], given[1])
    return taken[0] * 10 ** (decimals - taken[1]) - given[0] * 10 ** (decimals - given[1]), decimals


def values(found):
    """Turn the OBIS values of a whole telegram into readings."""
    out = []
    for name, code in (("energy_total", "1.8"), ("energy_export_total", "2.8")):
        out.append((name, total(found, code)))
    power = difference(found, "1.7.0", "2.7.0")
    out.append(("power", power if power else to_base(found["16.7.0"]) if "16.7.0" in found else None))
    for phase, suffix in enumerate(_PHASES):
        for name, code in (("voltage", 32), ("current", 31)):
            key = "%d.7.0" % (code + 20 * phase)
            out.append((name + suffix, to_base(found[key]) if key in found else None))
    for phase in range(3):
        codes = ["%d.7.0" % (code + 20 * phase) for code in (21, 22)]
        out.append(("power_l%d" % (phase + 1), difference(found, *codes)))
    out.append(("frequency", to_base(found["14.7.0"]) if "14.7.0" in found else None))
    return [(name, value[0], value[1]) for name, value in out if value is not None]
