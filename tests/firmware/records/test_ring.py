"""The record ring under power cuts, on MicroPython in both word sizes and on CPython."""

import os

import pytest

from tests.firmware.interpreters import run

# Each mutant of the ring and the flash model that must catch it.
MUTANTS = [
    ("no-payload-crc", "order"),
    ("no-header-crc", "torn"),
    ("no-blank-tail", "late"),
    ("cursor-ahead", "order"),
    ("early-free", "order"),
    ("count-late", "torn"),
]


# Every model of the flash and every interpreter; with CITYVITALS_LONG=1 each with each.
MODELS, BITS = ("order", "torn", "late"), (64, 32, 0)
RUNS = [
    (model, bits)
    for m, model in enumerate(MODELS)
    for b, bits in enumerate(BITS)
    if m == b or bits == 64 or os.environ.get("CITYVITALS_LONG")
]


@pytest.mark.parametrize(("model", "bits"), RUNS)
def test_every_stored_record_survives_a_power_cut_at_any_byte_and_none_is_invented(bits: int, model: str) -> None:
    cuts, failures, *first = run("ring_cuts.py", model, bits=bits).split(maxsplit=2)
    assert int(cuts) > 2000
    assert failures == "0", first


@pytest.mark.parametrize(("mutant", "model"), MUTANTS)
def test_the_power_cut_test_notices_a_broken_ring(mutant: str, model: str) -> None:
    failures = run("ring_cuts.py", model, mutant).split()[1]
    assert failures == "1"
