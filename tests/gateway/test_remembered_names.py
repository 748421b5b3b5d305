"""What a gateway keeps of the names, units and topics that senders write stays small, however long they are."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.mqtt.publishes import Message, Reader
from gateway.core import Core, Incoming
from tests.gateway.test_shortest import FLAT, NOW, core

MESSAGES, KB = 400, 30  # of each kind; what a sender writes into one
GROWTH = 6_000_000  # bytes; all that is written makes 12 MB
SENML = {"topic": "s/{device}", "city": "town"}


def long_name(n: int) -> Any:
    return {"pm10": n % 50, f"{n}-" + "x" * KB * 1000: 1}


def many_names(n: int) -> Any:
    return {"pm10": n % 50, **{f"{n}-{place}-aaaaaaaaaaaaaaaa": 1 for place in range(KB * 40)}}


def long_unit(n: int) -> Any:
    return {"pm10": {"value": 5, "unit": f"{n}" + "u" * KB * 1000}}


def senml_name(n: int) -> Any:
    return [{"bn": f"{n}" + "x" * KB * 1000 + ":", "n": "pm10", "v": 5}]


def senml_quantity(n: int) -> Any:
    return [{"n": f"{n}" + "q" * KB * 1000, "v": 5}]


def senml_unit(n: int) -> Any:
    return [{"n": "pm10", "v": 5, "u": f"{n}" + "u" * KB * 1000}]


def grown(work: Callable[[], None]) -> int:
    """Bytes that are still held of what was made meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("source", "payload"),
    [
        (FLAT, long_name),
        (FLAT, many_names),
        (FLAT, long_unit),
        (SENML, senml_name),
        (SENML, senml_quantity),
        (SENML, senml_unit),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_names_and_units_of_any_length(source: dict[str, Any], payload: Callable[[int], Any], tmp_path: Path) -> None:
    made: Core = core(tmp_path / "g", source)
    messages = MESSAGES // 6 if payload is many_names else MESSAGES  # 79,000 names, of which 50,000 may be remembered
    made.accept([Incoming("s/a", json.dumps(payload(-1)).encode())], NOW)

    def work() -> None:
        for n in range(messages):
            made.accept([Incoming("s/a", json.dumps(payload(n)).encode())], NOW + n)

    assert grown(work) < GROWTH


@pytest.mark.parametrize("foreign", [False, True])
def test_topics_of_any_length(foreign: bool) -> None:
    reader = Reader(False, lambda _: foreign)

    def work() -> None:
        for n in range(MESSAGES):
            out: list[Message] = []
            body = len(topic := f"s/{n}/".encode() + b"x" * KB * 1000).to_bytes(2, "big") + topic + b"1"
            size = bytes([len(body) & 0x7F | 0x80, (len(body) >> 7) & 0x7F | 0x80, len(body) >> 14])
            reader.read(b"\x30" + size + body, 0, out, 10, (1, "", 0))
            assert len(out) == (not foreign)

    assert grown(work) < GROWTH
