"""A batch that the disk did not take at first is counted once, and the first message with a new name is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.sqlite.buffer import Buffer
from gateway.core import Core, Incoming
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.errors import Unavailable
from tests.gateway import cores

NOW = 1_763_640_000_000


def test_names_of_a_batch_that_failed_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = SourceSettings.model_validate({"family": "zigbee2mqtt", "city": "town"})
    buffer = Buffer(tmp_path / "g.db", 60_000)
    core = Core(buffer, made_sources([source]), served={"town": frozenset({"a"})})
    messages = [Incoming(f"zigbee2mqtt/{who}", b'{"power":5,"invented":7}') for who in "aab"]

    def full(*_: Any, **__: Any) -> int:
        raise Unavailable("full")

    for n in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(buffer, "put", full)
            with pytest.raises(Unavailable):
                core.accept(messages, NOW + n)
    core.accept(messages, NOW + 5)
    counters = buffer.counters()
    assert (counters["gw_unasked"], counters["gw_not_served"], counters["gw_not_served town/b"]) == (2, 1, 1)
    [kept] = cores.reasons(core)
    assert kept.startswith("sample: 'invented'")
    core.accept(messages, NOW + 6)
    assert (buffer.counters()["gw_unasked"], core.unasked.counts["town", "invented"]) == (4, 4)
