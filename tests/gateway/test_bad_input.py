"""Every bad input of the case files is kept with its reason, the rest of its message is stored, and life goes on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core import Core, Incoming
from gateway.decoding.decoded import SourceOptions
from gateway.formats import decoder, is_mapped, names, reader
from telemetry.errors import Rejected, UsageError
from tests.gateway import cores

OPTIONS: dict[str, Any] = {"modbus": {"registers": {"power": {"at": 0}}}}
CASES: list[Any] = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")
    for path in sorted((Path(__file__).parent / "cases").glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]


def payload(case: dict[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    text: str = case["payload"]
    return text.replace("@", "[" * 100_000).encode()


@pytest.fixture
def core(tmp_path: Path) -> Core:
    return cores.make(tmp_path)


@pytest.mark.parametrize(("form", "case"), CASES)
def test_a_message(core: Core, form: str, case: dict[str, Any]) -> None:
    good = cores.pack(42.0, 1, device="other")
    counts = core.accept([good, Incoming(cores.TOPIC[form], payload(case)), good], cores.ARRIVAL)
    assert [r for r in cores.readings(core) if r[1] != 42.0] == sorted(case.get("stored", []), key=lambda r: -r[2])
    assert cores.readings(core, flagged=True) == case.get("flagged", [])
    kept = core.buffer.rejects.newest()
    if not case.get("reasons"):
        assert kept == []
        return
    assert [(r.topic, core.original(r).payload) for r in kept] == [(cores.TOPIC[form], payload(case))]
    for reason in case["reasons"]:
        assert re.search(reason, kept[0].reason), kept[0].reason
    assert (counts.received, counts.duplicate) == (3, 1)
    assert ["no2", 42.0, 1.0] in cores.readings(core), "the messages around it"


@pytest.mark.parametrize("form", [form for form in names() if not is_mapped(form)])
def test_a_payload_of_a_megabyte_is_refused_unread(core: Core, form: str) -> None:
    big = b'[{"n":"no2","v":5}' + b" " * 1_000_000 + b"]"
    core.accept([Incoming(cores.TOPIC[form], big)], cores.ARRIVAL)
    assert cores.readings(core) == []
    assert cores.reasons(core) == [f"payload of {len(big)} bytes; the limit is 262144"]


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("cv/1/aba/s1/other", "no source is configured"),
        ("cv/1/aba/s 1/data", "no valid city and device"),
        ("cv/1/-aba/s1/data", "no valid city and device"),
        ("cv/1//s1/data", "no source is configured"),
        (f"cv/1/aba/{'x' * 65}/data", "no valid city and device"),
    ],
)
def test_a_topic_that_names_no_device_of_ours_is_kept_with_its_reason(core: Core, topic: str, reason: str) -> None:
    core.accept([Incoming(topic, b'[{"n":"no2","v":5}]'), cores.pack(1.0)], cores.ARRIVAL)
    assert reason in cores.reasons(core)[0]
    assert len(cores.readings(core)) == 1


def test_of_endless_new_names_only_the_counters_grow(core: Core) -> None:
    records = ",".join(f'{{"n":"x{i}","v":1}}' for i in range(2000))
    core.accept([Incoming(cores.TOPIC["senml"], f"[{records}]".encode())], cores.ARRIVAL)
    assert len(core.buffer.table) == 0
    assert len(cores.reasons(core)[0]) < 2000


_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_LABELS = st.sampled_from(
    ["n", "bn", "v", "bv", "t", "bt", "u", "bu", "up", "sent", "end", "key", "boot", "seq", "time", "session", "no2",
     "session_energy", "energy_total"]
)  # fmt: skip
_NAMES = st.sampled_from(["no2", "session_energy", "energy_total", "x"])
_RECORD = st.dictionaries(_LABELS, _VALUE | _NAMES | st.integers(1_709_200_000, 1_709_300_000), max_size=7)


@settings(max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from(sorted(cores.TOPIC)), st.one_of(_RECORD, st.lists(_RECORD, max_size=3), _VALUE), st.booleans())
def test_any_json_is_stored_or_kept_with_a_reason(core: Core, form: str, message: Any, retain: bool) -> None:
    import json

    counts = core.accept([Incoming(cores.TOPIC[form], json.dumps(message).encode(), retain=retain)], cores.ARRIVAL)
    assert counts.received == 1


def needs_options(form: str) -> bool:
    """Whether a format reads nothing without options, as Modbus without its registers."""
    try:
        if is_mapped(form):
            reader(form, {})
    except UsageError:
        return True
    return False


@settings(max_examples=1000)
@given(st.sampled_from([form for form in names() if not needs_options(form)]), st.binary(max_size=80))
def test_any_bytes_are_decoded_or_rejected(form: str, raw: bytes) -> None:
    try:
        if is_mapped(form):
            assert isinstance(
                reader(form, OPTIONS.get(form, {}))(raw, {"device": "d", "name": "n", "kind": "DDATA"}), list
            )
        else:
            rows = decoder(form)(raw, cores.ARRIVAL, SourceOptions())
            assert len(rows.t) == len(rows.value)
    except Rejected as reason:
        assert str(reason)  # noqa: PT017 - either way is right
