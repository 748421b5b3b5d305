"""Where the models of a SunSpec device are: the chain of ids and lengths behind the mark `SunS`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from telemetry.errors import Rejected

BASES = (40000, 50000, 0)
_MARK = [0x5375, 0x6E53]
_END, _MOST = 0xFFFF, 50

Read = Callable[[int, int], Sequence[int] | None]  # (first register, count) -> words, None where it has none


def models(read: Read) -> dict[int, int]:
    """Model id -> address of its id. `read`: function 3 of the device. Raises Rejected for one that is not SunSpec."""
    base = next((b for b in BASES if list(read(b, 2) or ()) == _MARK), None)
    if base is None:
        raise Rejected("it is not a SunSpec device: the mark SunS is at none of its addresses")
    found: dict[int, int] = {}
    at = base + 2
    for _ in range(_MOST):
        head = read(at, 2)
        if head is None or head[0] == _END:
            break
        found.setdefault(head[0], at)
        at += 2 + head[1]
    return found
