"""The manifest of a signed pack: every file's SHA-256, the roots over the windows, and every derived value. Pure."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from reporting.evidence.enclosed import Root
from reporting.evidence.merkle import leaf, root
from telemetry.kpi_value import KpiValue

SCHEMA = 1
WINDOWS, MANIFEST, SIGNATURE = "windows.json", "manifest.json", "manifest.sig"


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file of the pack."""

    name: str
    bytes: int
    sha256: str


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A derived value. `bits`: the value as the hexadecimal of its float64; "" where there is none."""

    code: str
    part: str
    period: str
    value: float | None
    bits: str
    unit: str
    coverage: float
    status: str
    n_devices: int
    method: str
    revision: int

    @property
    def name(self) -> str:
        """Code, part and period."""
        return " ".join(filter(None, (self.code, self.part, self.period)))


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """manifest.json. `as_of`: ms UTC at which the values are derived; `public_key`: hexadecimal."""

    schema: int
    software: str
    city: str
    period: str
    as_of: int
    public_key: str
    files: list[File]
    windows: list[Root]
    values: list[Value]
    values_root: str


def bits_of(value: float | None) -> str:
    """The bits of a value, in hexadecimal, most significant first."""
    return "" if value is None else struct.pack(">d", value).hex()


def file_of(name: str, content: bytes) -> File:
    """The entry of a file."""
    return File(name=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def values_of(values: Iterable[KpiValue], revisions: Mapping[tuple[str, str, str], int]) -> list[Value]:
    """The entries of derived values, in order. `revisions`: of (code, part, period) where it is not 1."""
    found = [
        Value(
            code=v.code, part=v.part, period=v.period, value=v.value, bits=bits_of(v.value), unit=v.unit,
            coverage=v.coverage, status=v.status, n_devices=v.n_devices, method=v.method,
            revision=revisions.get((v.code, v.part, v.period), 1),
        )
        for v in values
    ]  # fmt: skip
    return sorted(found, key=lambda v: (v.code, v.part, v.period))


def values_root(values: Sequence[Value]) -> str:
    """The Merkle root, a leaf for each value with its time, bits, unit, interval (the period), method and revision."""
    return root([leaf(_content(v)) for v in values]).hex()


def _content(v: Value) -> bytes:
    words = (v.code, v.part, v.period, v.bits, v.unit, bits_of(v.coverage), v.status, v.n_devices, v.method, v.revision)
    return "\x1f".join(map(str, words)).encode()
