"""The shortest way of a SenML pack: plain values of one time, from a topic that names the device. Pure.

What a pack of such names and units means is worked out once, for all packs with the same ones. Anything else (several
records, base values and units, times of single values, texts, channels, the end of a boot, other labels) is left to
`gateway/formats/senml.py`, which gives the same.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gateway.decoding.decoded import AHEAD, EARLIEST, LARGEST
from gateway.decoding.plain import LONG_WAY, MOST_SHAPES, Message, Shape

_MOST_VALUES, _LONGEST_NAMES = 12, 600
_LATEST_S = 1e12


class _Value(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    v: float
    n: str = ""
    u: str | None = None
    bn: str = ""
    bt: float | None = None
    boot: int | None = None
    seq: int | None = None


_decode = msgspec.json.Decoder(list[_Value]).decode


class PackReader:
    """`quantity_of`: of a base name and a name, None where the long way must read it. `numbered`: whether `boot` and
    `seq` number the records.
    """

    def __init__(self, quantity_of: Callable[[str, str], str | None], numbered: bool) -> None:
        self._quantity_of, self._numbered = quantity_of, numbered
        self._shapes: dict[tuple[str | None, ...], Shape] = {}  # by the base name, then name and unit of each value

    def read(self, payload: bytes, arrival: int) -> Message | None:
        """The message; None where the long way must read it. `arrival`: ms UTC."""
        try:
            pack = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if not 0 < len(pack) <= _MOST_VALUES:
            return None
        first, values, record = pack[0], list[float](), None
        names = [first.bn]
        for one in pack:
            if one is not first and (one.bn or one.bt is not None or one.boot is not None or one.seq is not None):
                return None
            names += one.n, one.u  # type: ignore[arg-type]
            values.append(one.v + 0.0)  # as with a base value: -0 is 0
        t = round(first.bt * 1000) if first.bt is not None and 0 < first.bt < _LATEST_S else 0
        if not EARLIEST <= t <= arrival + AHEAD:
            return None
        if self._numbered and first.boot is not None:
            if first.seq is None or not (0 <= first.boot < LARGEST and 0 <= first.seq < LARGEST):
                return None
            record = first.boot, first.seq
        key = tuple(names)
        shape = self._shapes.get(key) or self._learn(key)
        return (shape, values, t, record) if shape.entries else None

    def _learn(self, key: tuple[str | None, ...]) -> Shape:
        if sum(len(name or "") for name in key) > _LONGEST_NAMES:
            return LONG_WAY
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        base, *others = key
        quantities = [self._quantity_of(base or "", name or "") for name in others[::2]]
        entries = [(q, unit or None) for q, unit in zip(quantities, others[1::2], strict=True) if q is not None]
        plain = len({quantity for quantity, _ in entries}) == len(quantities)
        shape = self._shapes[key] = Shape(entries, list(range(len(entries))), len(entries), None) if plain else LONG_WAY
        return shape
