"""The files of the doors at the start of the gateway."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from cityvitals import process_gateway
from registry.settings import Settings
from telemetry.errors import Unavailable
from tests.gateway.doors.door_bench import closed_port


def test_a_gateway_waits_where_the_disk_is_full_when_its_doors_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, plain = list[int](), process_gateway.make_doors

    def made(*arguments: Any) -> Any:
        tries.append(len(tries))
        if len(tries) == 1:
            raise Unavailable("database or disk is full")
        return plain(*arguments)

    monkeypatch.setattr(process_gateway, "make_doors", made)
    monkeypatch.setattr(process_gateway, "until_stopped", lambda: lambda: len(tries) > 1)
    gateway = {"buffer": str(tmp_path / "gateway.db"), "broker": {"url": f"mqtt://127.0.0.1:{closed_port()}"}}
    process_gateway.run_gateway(Settings.model_validate({"gateway": gateway}))
    assert tries == [0, 1]


def test_doors_are_stopped_together() -> None:
    all_at_once = Barrier(20)

    class Slow:
        """A door whose other side does not answer before the others are asked too."""

        def start(self) -> None:
            raise AssertionError

        def stop(self) -> None:
            all_at_once.wait(60)

    process_gateway.stop_all([Slow() for _ in range(20)])
    assert not all_at_once.broken
