"""Units: the spellings of the field (UCUM, SenML, UN/CEFACT, what devices print) and how one converts to another.

A unit belongs to a dimension; two units convert only within one dimension, by a factor and an offset. A gas's share of
the air (ppb, ppm) becomes a mass per volume by the factor of that gas, which the quantity declares. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple


class Conversion(NamedTuple):
    """Value in the other unit = value * numerator / denominator + offset."""

    numerator: float
    denominator: float
    offset: float

    def apply(self, value: float) -> float:
        """Convert one value."""
        return value * self.numerator / self.denominator + self.offset


class _Unit(NamedTuple):
    dimension: str
    numerator: float = 1.0
    denominator: float = 1.0
    offset: float = 0.0


SAME = Conversion(1.0, 1.0, 0.0)

# Value in the dimension's base unit = value * numerator / denominator + offset. Division keeps decimal inputs exact.
_UNITS: dict[str, _Unit] = {
    "ug/m3": _Unit("mass in air"),
    "mg/m3": _Unit("mass in air", 1000.0),
    "ng/m3": _Unit("mass in air", 1.0, 1000.0),
    "g/m3": _Unit("mass in air", 1e6),
    "ppb": _Unit("share of air"),
    "ppm": _Unit("share of air", 1000.0),
    "Cel": _Unit("temperature"),
    "degF": _Unit("temperature", 5.0, 9.0, -160.0 / 9.0),
    "K": _Unit("temperature", 1.0, 1.0, -273.15),
    "/": _Unit("ratio"),
    "%RH": _Unit("ratio", 1.0, 100.0),
    "hPa": _Unit("pressure"),
    "Pa": _Unit("pressure", 1.0, 100.0),
    "kPa": _Unit("pressure", 10.0),
    "bar": _Unit("pressure", 1000.0),
    "inHg": _Unit("pressure", 33.86389),
    "mmHg": _Unit("pressure", 1.33322387415),
    "psi": _Unit("pressure", 68.947572932),
    "kWh": _Unit("energy"),
    "Wh": _Unit("energy", 1.0, 1000.0),
    "mWh": _Unit("energy", 1.0, 1e6),
    "MWh": _Unit("energy", 1000.0),
    "GWh": _Unit("energy", 1e6),
    "Wmin": _Unit("energy", 1.0, 60_000.0),
    "J": _Unit("energy", 1.0, 3.6e6),
    "mJ": _Unit("energy", 1.0, 3.6e9),
    "kJ": _Unit("energy", 1.0, 3600.0),
    "MJ": _Unit("energy", 1.0, 3.6),
    "GJ": _Unit("energy", 1000.0, 3.6),
    "W": _Unit("power"),
    "mW": _Unit("power", 1.0, 1000.0),
    "kW": _Unit("power", 1000.0),
    "MW": _Unit("power", 1e6),
    "GW": _Unit("power", 1e9),
    "V": _Unit("voltage"),
    "mV": _Unit("voltage", 1.0, 1000.0),
    "kV": _Unit("voltage", 1000.0),
    "A": _Unit("current"),
    "mA": _Unit("current", 1.0, 1000.0),
    "Hz": _Unit("frequency"),
    "mHz": _Unit("frequency", 1.0, 1000.0),
    "kHz": _Unit("frequency", 1000.0),
    "m3": _Unit("volume"),
    "l": _Unit("volume", 1.0, 1000.0),
    "ml": _Unit("volume", 1.0, 1e6),
    "hl": _Unit("volume", 1.0, 10.0),
    "gal": _Unit("volume", 3.785411784, 1000.0),
    "ft3": _Unit("volume", 28.316846592, 1000.0),
    "s": _Unit("time"),
    "min": _Unit("time", 60.0),
    "h": _Unit("time", 3600.0),
    "d": _Unit("time", 86_400.0),
    "ms": _Unit("time", 1.0, 1000.0),
    "us": _Unit("time", 1.0, 1e6),
    "ns": _Unit("time", 1.0, 1e9),
    "m": _Unit("length"),
    "mm": _Unit("length", 1.0, 1000.0),
    "cm": _Unit("length", 1.0, 100.0),
    "km": _Unit("length", 1000.0),
    "m/s": _Unit("speed"),
    "km/h": _Unit("speed", 1.0, 3.6),
    "mph": _Unit("speed", 0.44704),
    "kn": _Unit("speed", 1852.0, 3600.0),
    "deg": _Unit("direction"),
    "dB": _Unit("sound level"),
    "dBm": _Unit("signal"),
    "count": _Unit("count"),
    "NTU": _Unit("turbidity"),
    "mg/l": _Unit("mass in water"),
    "uS/cm": _Unit("conductivity"),
    "mS/cm": _Unit("conductivity", 1000.0),
    "pH": _Unit("acidity"),
    "V/m": _Unit("field strength"),
    "mV/m": _Unit("field strength", 1.0, 1000.0),
    "t": _Unit("mass"),
    "kg": _Unit("mass", 1.0, 1000.0),
    "B": _Unit("memory"),
    "kB": _Unit("memory", 1000.0),
    "kvarh": _Unit("reactive energy"),
    "varh": _Unit("reactive energy", 1.0, 1000.0),
    "var": _Unit("reactive power"),
    "kvar": _Unit("reactive power", 1000.0),
    "VA": _Unit("apparent power"),
    "kVA": _Unit("apparent power", 1000.0),
}

# After compatibility characters are resolved (µ, ³, ℃ ...), degree signs, carets and blanks removed.
_SPELLINGS: dict[str, str] = {
    "ug/m3": "ugm3 ug/cbm ug.m3 ugperm3 mcg/m3 microgram/m3 GQ", "mg/m3": "GP mgm3", "ng/m3": "",
    "ppb": "61 ppbv nmol/mol", "ppm": "59 ppmv umol/mol",
    "Cel": "C degC celsius Celsius Celcius celcius CEL deg_c", "degF": "F fahrenheit Fahrenheit [degF] FAH deg_f",
    "K": "kelvin Kelvin KEL", "/": "1 ratio C62 {ratio}", "%RH": "% percent Percent pct P1 %rh RH% %rH",
    "hPa": "mbar millibar MBR A97 mb", "Pa": "PAL pascal", "kPa": "KPA", "bar": "BAR", "inHg": "inhg [in_i'Hg] inHG",
    "mmHg": "mm[Hg] torr Torr", "kWh": "KWH kW.h kW*h kW-h", "Wh": "WHR W.h W*h WH wh", "MWh": "MWH MW.h",
    "GWh": "GWH", "Wmin": "W.min W*min Wm watt-minute Watt-minute WMin", "J": "JOU Ws W.s Wsec", "kJ": "KJO",
    "MJ": "3B", "GJ": "GV", "W": "WTT watt Watt watts", "kW": "KWT kw KW", "MW": "MAW", "V": "VLT volt Volt volts v",
    "mV": "2Z", "A": "AMP amp Amp amps ampere Ampere a", "mA": "4K", "Hz": "HTZ hertz", "m3": "MTQ cbm m^3 m**3",
    "l": "L LTR liter litre liters litres dm3", "hl": "HLT", "gal": "[gal_us] GLL gallon gallons galUS us_gal",
    "NTU": "FNU FTU", "mg/l": "mg/L ppmw M1", "uS/cm": "uScm-1 microsiemens/cm", "pH": "[pH] ph Q30", "V/m": "D50",
    "t": "TNE tonne tonnes", "kg": "KGM kilogram",
    "ft3": "FTQ cf CF cuft [cft_i] ft³", "s": "SEC sec second seconds", "min": "MIN minute minutes",
    "h": "HUR hr hour hours", "d": "DAY day days", "ms": "C26 msec", "us": "usec",
    "dB": "dBA dB(A) dBa dbspl dB[SPL] 2N",
    "m/s": "MTS mps m.s-1", "km/h": "KMH kmh kph", "kn": "KNT kt knots", "deg": "DD degrees",
    "count": "{count} counts pcs pieces",
}  # fmt: skip


def _read_spellings() -> dict[str, str]:
    exact = {name: name for name in _UNITS}
    exact |= {word: name for name, words in _SPELLINGS.items() for word in words.split()}
    lower: dict[str, set[str]] = {}
    for word, name in exact.items():
        lower.setdefault(word.lower(), set()).add(name)
    loose = {word: found.pop() for word, found in lower.items() if len(found) == 1 and len(word) > 1}
    return loose | exact


_ALL = _read_spellings()
_PER_VOLUME = re.compile(r"[.*·]?m-3$")
_REMARK = re.compile(r"\(ref[^)]*\)$", re.I)
_DROPPED = str.maketrans({"μ": "u", "°": "", "^": "", " ": "", "\u00a0": "", "\u2009": ""})


_LONGEST = 100  # characters of a unit; a sender can write any number of longer ones


def canonical(unit: str) -> str | None:
    """The catalogue's spelling of a unit; None for one that is not known.

    A prefix in the wrong case (`mwh`: milli or mega?) is not guessed.
    """
    return _canonical(unit) if len(unit) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _canonical(unit: str) -> str | None:
    text = unicodedata.normalize("NFKC", unit).translate(_DROPPED)
    text = _PER_VOLUME.sub("/m3", _REMARK.sub("", text))
    return _ALL.get(text) or _ALL.get(text.lower() if len(text) > 1 else text)


def between(unit: str, wanted: str, ug_per_ppb: float | None = None) -> Conversion | None:
    """How `unit` becomes `wanted`; None where it cannot. `ug_per_ppb`: of the gas that is measured."""
    return _between(unit, wanted, ug_per_ppb) if len(unit) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _between(unit: str, wanted: str, ug_per_ppb: float | None) -> Conversion | None:
    found = canonical(unit)
    if found is None:
        return None
    if found == wanted:
        return SAME
    target = canonical(wanted)
    if target is None:
        return None
    a, b = _UNITS[found], _UNITS[target]
    numerator, denominator = a.numerator * b.denominator, a.denominator * b.numerator
    if a.dimension == b.dimension:
        return Conversion(numerator, denominator, (a.offset - b.offset) * b.denominator / b.numerator)
    if ug_per_ppb is not None and (a.dimension, b.dimension) == ("share of air", "mass in air"):
        return Conversion(numerator * ug_per_ppb, denominator, 0.0)
    return None


def names() -> dict[str, str]:
    """Every known spelling and the unit it means."""
    return dict(sorted(_ALL.items()))
