"""SenML in CBOR (RFC 8428, section 6): the labels are numbers; everything else is as in SenML JSON."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from gateway.decoding.decoded import Decoded, SourceOptions
from gateway.formats import cbor, senml
from telemetry.errors import Rejected

_LABELS = {
    -1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s",
    6: "t", 7: "ut", 8: "vd",
}  # fmt: skip


def decode(payload: bytes, arrival: int, options: SourceOptions) -> Decoded:
    """Rows of a SenML pack. Raises Rejected where it is not an array of records."""
    [pack] = cbor.read(payload, {})
    if not isinstance(pack, list):
        raise Rejected("SenML must be an array of records")
    text = json.dumps([_named(record) for record in pack])
    return senml.decode(text.encode(), arrival, options)


def _named(record: object) -> object:
    """A record with its labels by name; an unknown number stays one, and is skipped as the RFC requires."""
    if not isinstance(record, dict):
        return str(record)
    return {_LABELS.get(label, str(label)): _plain(value) for label, value in record.items() if _is_label(label)}


def _is_label(label: object) -> bool:
    return isinstance(label, int | str) and not isinstance(label, bool)


def _plain(value: object) -> Any:  # noqa: ANN401 - what JSON has
    if isinstance(value, Decimal):  # decimal fractions
        return float(value)
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)
