"""SenML in CBOR: the labels are numbers, the meaning is that of SenML JSON."""

from __future__ import annotations

import json

import cbor2
import pytest

from gateway.decoding.decoded import SourceOptions
from gateway.formats import senml, senml_cbor
from telemetry.errors import Rejected
from tests.replay.recorded import need

NOW = 1_795_168_805_000
OPTIONS = SourceOptions()


def test_the_pack_of_the_rfc_is_read_like_its_json() -> None:
    pack = [
        {-2: "urn:dev:ow:10e2073a0108006:", -3: 1.763640000e9, -4: "A", 0: "voltage", 1: "V", 2: 120.1},
        {0: "current", 6: -5, 2: 1.2},
    ]
    text = [
        {"bn": "urn:dev:ow:10e2073a0108006:", "bt": 1.763640000e9, "bu": "A", "n": "voltage", "u": "V", "v": 120.1},
        {"n": "current", "t": -5, "v": 1.2},
    ]
    made = senml_cbor.decode(cbor2.dumps(pack), NOW, OPTIONS)
    assert made.rows == senml.decode(json.dumps(text).encode(), NOW, OPTIONS).rows
    assert [(q, u, v, t) for q, u, v, t, *_ in made.rows] == [
        ("voltage", "V", 120.1, 1_763_640_000_000),
        ("current", "A", 1.2, 1_763_639_995_000),
    ]


def test_a_pack_of_another_library_is_read() -> None:
    vectors = json.loads(need("device_payloads/vectors.json").read_text())
    [found] = [v["cbor_hex_farshidtz"] for v in vectors.values() if isinstance(v, dict) and "cbor_hex_farshidtz" in v]
    made = senml_cbor.decode(bytes.fromhex(found), NOW, OPTIONS)
    assert [(row[0], row[2], row[3]) for row in made.rows] == [("dev123temp", 22.1, NOW - 46_670)]
    assert len(made.problems) == 3  # text, data and a truth value


@pytest.mark.parametrize("payload", [b"", b"\x01", cbor2.dumps({"a": 1}), cbor2.dumps([1]), b"\x84\xaa"])
def test_what_is_not_a_pack_is_rejected(payload: bytes) -> None:
    try:
        made = senml_cbor.decode(payload, NOW, OPTIONS)
    except Rejected as reason:
        assert str(reason)  # noqa: PT017 - either way is right
    else:
        assert not made.rows
        assert made.problems
